# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""HTTPS for sign-in and Graph: a time limit on every request, and a certificate authority of one's own."""

from __future__ import annotations

import os
from functools import partial
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.entra.entra_options import ENTRA_RULES
from ansible_collections.mailroom.erp.plugins.module_utils.libraries import require
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Refused
from ansible_collections.mailroom.erp.plugins.module_utils.whole_answer import WholeAnswer, whole_answer

ANSWER_TIMEOUT = 30.0
"""How long one piece of an answer may take, in seconds (:mod:`whole_answer` bounds all of it). A longer wait is for the
caller to decide, who knows whether to ask again."""


class Http:
    """What msal and the Graph client send their requests with; the methods are those that msal calls."""

    def __init__(self, ca_file: str | None) -> None:
        """Prepare; nothing is connected yet.

        :param ca_file: certificates to trust instead of the system's, as a PEM file. The environment then has no say:
            ``REQUESTS_CA_BUNDLE`` would replace them, and a proxy would get to see where the tokens go.
        :raises MissingLibrary: requests is not installed
        :raises Refused: there is no such file
        """
        if ca_file and not os.path.isfile(ca_file):
            rule, way_out = "there is no such file on the controller", "Correct the path, or leave it out."
            raise Refused(ENTRA_RULES.problem("tenant", "tenant.ca_file", ca_file, rule, way_out))
        self._connections = require("requests").Session()
        if ca_file:
            self._connections.trust_env = False
            self._connections.verify = ca_file

    def request(self, method: str, url: str, **more: Any) -> WholeAnswer:
        """Send one request and read its answer; a redirect is not followed, for the token would go with it.

        :param method: e.g. GET
        :param url: the whole address
        :param more: what ``requests.Session.request`` takes, e.g. headers and json
        :returns: the answer, read to its end
        :raises requests.RequestException: there was no answer, or no end of it
        """
        return whole_answer(partial(self.begin, method, url, **more), ANSWER_TIMEOUT)

    def begin(self, method: str, url: str, **more: Any) -> Any:
        """Send one request; the body of the answer is for the caller to read, within bounds of its own.

        :param method: as for :meth:`request`
        :param url: likewise
        :param more: likewise
        :returns: the ``requests.Response``, to be closed
        :raises requests.RequestException: there was no answer
        """
        bounds = {"timeout": ANSWER_TIMEOUT, "allow_redirects": False, "stream": True}
        return self._connections.request(method, url, **bounds, **more)

    def get(self, url: str, params: Any = None, headers: Any = None, **more: Any) -> WholeAnswer:
        """Send a GET; what else is given has no say.

        :param url: the whole address
        :param params: the query, by name
        :param headers: by name
        :returns: the answer, read to its end
        :raises requests.RequestException: there was no answer, or no end of it
        """
        return self.request("GET", url, params=params, headers=headers)

    def post(self, url: str, params: Any = None, data: Any = None, headers: Any = None, **more: Any) -> WholeAnswer:
        """Send a POST; what else is given has no say.

        :param url: the whole address
        :param params: the query, by name
        :param data: the body, as text or as the fields of a form
        :param headers: by name
        :returns: the answer, read to its end
        :raises requests.RequestException: there was no answer, or no end of it
        """
        return self.request("POST", url, params=params, data=data, headers=headers)

    def close(self) -> None:
        """Close the connections; nothing may be sent afterwards."""
        self._connections.close()
