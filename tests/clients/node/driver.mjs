// Makes calls with Crisp's official client for Node. Each line of standard input is a batch,
// {"origin": …, "tier": …, "identifier": …, "key": …, "calls": [{"op": …, "args": […]}, …]}; each gives a
// line of output, an array with one answer a call: {"data": …}, or {"status": …, "reason": …} for what
// the client reports as an error.
import readline from "node:readline";
import { Crisp } from "crisp-api";

const operations = ({ website, plugin, plan }) => ({
  get_website: (site) => website.getWebsite(site),
  get_settings: (site) => website.getWebsiteSettings(site),
  update_settings: (site, changes) => website.updateWebsiteSettings(site, changes),
  list_operators: (site) => website.listWebsiteOperators(site),
  list_active: (site) => website.listLastActiveWebsiteOperators(site),
  flush_active: (site) => website.flushLastActiveWebsiteOperators(site),
  send_email: (site, email) => website.sendEmailToWebsiteOperators(site, email),
  get_operator: (site, user) => website.getWebsiteOperator(site, user),
  invite_operator: (site, email, role, verify) => website.inviteWebsiteOperator(site, email, role, verify),
  change_operator: (site, user, role, title) => website.changeOperatorMembership(site, user, role, title),
  unlink_operator: (site, user) => website.unlinkOperatorFromWebsite(site, user),
  availability_status: (site) => website.getWebsiteAvailabilityStatus(site),
  availability_operators: (site) => website.listWebsiteOperatorAvailabilities(site),
  list_inboxes: (site, page) => website.listInboxes(site, page),
  get_inbox: (site, inbox) => website.getInbox(site, inbox),
  website_endpoints: (site) => website.getConnectEndpoints(site),
  get_plan: (site) => plan.getPlanSubscriptionForWebsite(site),
  plugin_account: () => plugin.getConnectAccount(),
  plugin_session: () => plugin.checkConnectSessionValidity(),
  plugin_websites: (page) => plugin.listAllConnectWebsites(page, false, true),
  plugin_websites_since: (date) => plugin.listConnectWebsitesSince(date, false, false),
  plugin_endpoints: () => plugin.getConnectEndpoints(),
  plugin_settings: (site, id) => plugin.getSubscriptionSettings(site, id),
});

async function call(client, { op, args }) {
  try {
    return { data: await operations(client)[op](...args) };
  } catch (error) {
    if (error instanceof Error) {
      throw error; // a mistake in here, not an answer
    }
    return { status: error.code, reason: error.message, text: error.data.message };
  }
}

for await (const line of readline.createInterface({ input: process.stdin })) {
  const { origin, tier, identifier, key, calls } = JSON.parse(line);
  const client = new Crisp();
  client.setRestHost(origin);
  client.authenticateTier(tier, identifier, key);
  // All at once: its waits between retries add up otherwise.
  const answers = await Promise.all(calls.map((one) => call(client, one)));
  console.log(JSON.stringify(answers));
}
