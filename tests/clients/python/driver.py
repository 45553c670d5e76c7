"""Makes calls with Crisp's official client for Python. Each line of standard input is a batch,
{"origin": …, "tier": …, "identifier": …, "key": …, "calls": [{"op": …, "args": […]}, …]}; each gives a
line of output, an array with one answer a call: {"data": …}, or {"status": …, "reason": …} for what
the client reports as an error, or {"missing": true} for what it cannot do."""

import json
import sys

from crisp_api import Crisp
from crisp_api.errors.route import RouteError


def operations(client):
    website, plugin = client.website, client.plugin
    return {
        "get_website": website.get_website,
        "get_settings": website.get_website_settings,
        "update_settings": website.update_website_settings,
        "list_operators": website.list_website_operators,
        "list_active": website.list_last_active_website_operators,
        "availability_status": website.get_website_availability_status,
        "plugin_account": plugin.get_connect_account,
        "plugin_session": plugin.check_connect_session_validity,
        "plugin_websites": lambda page: plugin.list_all_connect_websites(page, 0),
        "plugin_websites_since": lambda date: plugin.list_connect_websites_since(date, 0),
        "plugin_settings": plugin.get_subscription_settings,
    }


def call(client, op, args):
    if op not in operations(client):
        return {"missing": True}
    try:
        return {"data": operations(client)[op](*args)}
    except RouteError as error:
        details = error.args[0]
        return {"status": details["code"], "reason": details["message"], "text": details["data"]["message"]}
    except ValueError:
        # Its JSON parser gives up on an answer that is no JSON; the client does not catch that.
        return {"status": 0, "reason": "not JSON"}


def perform(origin, tier, identifier, key, calls):
    client = Crisp()
    client.set_rest_host(origin)
    client.set_tier(tier)
    client.authenticate(identifier, key)
    return [call(client, **one) for one in calls]


for line in sys.stdin:
    print(json.dumps(perform(**json.loads(line))), flush=True)
