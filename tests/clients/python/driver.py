"""Makes calls with Crisp's official client for Python. Each line of standard input is a call,
{"op": …, "args": […]}; each gives a line of output: {"data": …}, or {"status": …, "reason": …} for
what the client reports as an error, or {"missing": true} for what it cannot do."""

import json
import os
import sys

from crisp_api import Crisp
from crisp_api.errors.route import RouteError

client = Crisp()
client.set_rest_host(os.environ["CRISP_ORIGIN"])
client.set_tier(os.environ["CRISP_TIER"])
client.authenticate(os.environ["CRISP_IDENTIFIER"], os.environ["CRISP_KEY"])

OPERATIONS = {
    "get_website": client.website.get_website,
    "get_settings": client.website.get_website_settings,
    "update_settings": client.website.update_website_settings,
    "list_operators": client.website.list_website_operators,
    "list_active": client.website.list_last_active_website_operators,
    "availability_status": client.website.get_website_availability_status,
    "plugin_account": client.plugin.get_connect_account,
    "plugin_session": client.plugin.check_connect_session_validity,
    "plugin_websites": lambda page: client.plugin.list_all_connect_websites(page, 0),
    "plugin_websites_since": lambda date: client.plugin.list_connect_websites_since(date, 0),
    "plugin_settings": client.plugin.get_subscription_settings,
}


def call(op, args):
    if op not in OPERATIONS:
        return {"missing": True}
    try:
        return {"data": OPERATIONS[op](*args)}
    except RouteError as error:
        details = error.args[0]
        return {"status": details["code"], "reason": details["message"], "text": details["data"]["message"]}
    except ValueError:
        # Its JSON parser gives up on an answer that is no JSON; the client does not catch that.
        return {"status": 0, "reason": "not JSON"}


for line in sys.stdin:
    print(json.dumps(call(**json.loads(line))), flush=True)
