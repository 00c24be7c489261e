"""HTTP: pages in place of the service, the service's own refusals; and runs that somebody or something ended early."""
from lab.scenario import Expect, scenario

PROXY = "proxy.corp.test:3128"
LOGIN = "login.microsoftonline.com"
STORAGE = "md-dlbrhcw4gn5r.z33.blob.storage.azure.net"
NCSI = ("www.msftconnecttest.com", "www.msftncsi.com")
PAGE = "default_type text/html; return 403 '<html><title>Web Page Blocked</title>Category: storage. Forbidden by policy.</html>';"
SERVICE = "add_header x-ms-request-id $request_id always; add_header x-ms-version 2009-09-19 always; "


# ---------------------------------------------------------------- pages of others

@scenario(Expect(exit=1, cause="http_block_page", stage="http", owner="firewall-team", targets=LOGIN))
def block_page_in_place_of_the_answer(lab):
    lab.web.answer(LOGIN, PAGE)


@scenario(Expect(exit=1, cause="http_block_page", stage="http", owner="firewall-team", targets=STORAGE))
def unexpected_answer_without_the_services_headers(lab):
    lab.web.answer(STORAGE, "return 404;")


@scenario(Expect(exit=0, cause="http_block_page", stage="http", owner="firewall-team", status="warn", targets="crl.microsoft.com"))
def block_page_for_a_list_that_is_only_recommended(lab):
    lab.web.answer("crl.microsoft.com", PAGE)


@scenario(Expect(exit=1, cause="http_captive_portal", stage="http", owner="network-team", targets=NCSI, subject="portal.hotel.test"))
def portal_redirects_the_ncsi_probe(lab):
    lab.web.answer(NCSI, "return 302 http://portal.hotel.test/welcome?token=secret;")
    result = yield
    assert "token=secret" not in str(result.report) and "token=secret" not in result.text


@scenario(Expect(exit=1, cause="http_captive_portal", stage="http", owner="network-team", targets=NCSI))
def portal_answers_511(lab):
    lab.web.answer(NCSI, "return 511;")


@scenario(Expect(exit=1, cause="http_ncsi_altered", stage="http", owner="proxy-team", targets=NCSI))
def ncsi_body_is_altered(lab):
    lab.web.answer(NCSI, "return 200 'Microsoft Connect Test, checked by Gate';")


@scenario(Expect(exit=1, cause="http_ncsi_altered", stage="http", owner="proxy-team", targets=NCSI))
def ncsi_answer_is_a_page(lab):
    lab.web.answer(NCSI, "default_type text/html; return 200 '<html>Blocked by policy</html>';")


@scenario(Expect(exit=1, cause="http_redirect_loop_or_foreign", stage="http", owner="proxy-team", targets=STORAGE))
def redirect_to_itself(lab):
    lab.web.answer(STORAGE, f"return 302 https://{STORAGE}/;")


@scenario(Expect(exit=1, cause="http_redirect_loop_or_foreign", stage="http", owner="proxy-team", targets=STORAGE))
def redirects_in_a_circle(lab):
    lab.web.answer(STORAGE, f"if ($uri = /a) {{ return 302 https://{STORAGE}/b; }} return 302 https://{STORAGE}/a;")


@scenario(Expect(exit=1, cause="http_redirect_loop_or_foreign", stage="http", owner="proxy-team", targets=STORAGE,
                 subject="login.gate.test"))
def redirect_to_a_foreign_host(lab):
    lab.web.answer(STORAGE, "return 302 https://login.gate.test/sso;")


@scenario(Expect(exit=0))
def redirect_to_another_path_of_the_same_host(lab):
    lab.web.answer("pod01-id1.eus.backup.windowsazure.com",
                   "if ($uri = /x) { return 404; } return 301 https://pod01-id1.eus.backup.windowsazure.com/x;")


# ---------------------------------------------------------------- the service itself

@scenario(Expect(exit=1, cause="http_service_throttled", stage="http", owner="microsoft", targets=STORAGE, subject=STORAGE))
def service_is_busy(lab):
    lab.web.answer(STORAGE, SERVICE + "add_header Retry-After 30 always; return 503;")


@scenario(Expect(exit=1, cause="http_service_throttled", stage="http", owner="microsoft", targets=STORAGE))
def service_answers_429(lab):
    lab.web.answer(STORAGE, SERVICE + "return 429;")


@scenario(Expect(exit=1, cause="http_service_5xx", stage="http", owner="microsoft", targets=STORAGE, subject=STORAGE))
def service_fails(lab):
    lab.web.answer(STORAGE, SERVICE + "return 500;")


@scenario(Expect(exit=1, cause="http_service_5xx", stage="http", owner="microsoft", targets=LOGIN))
def sign_in_service_fails_behind_a_proxy(lab):
    lab.web.answer(LOGIN, SERVICE + "return 502;")
    lab.reg(system=lab.squid())


@scenario(Expect(exit=1, cause="http_service_4xx_policy", stage="http", owner="server-admin", targets=STORAGE))
def service_answers_another_status_than_expected(lab):
    lab.web.answer(STORAGE, SERVICE + "return 409;")


@scenario(Expect(exit=0))
def healthy_errors_through_a_proxy(lab):
    lab.only_proxy_goes_out()
    lab.reg(system=lab.squid())
    result = yield
    statuses = {o["status"] for o in result.observations("http_exchange")}
    assert {400, 403, 404, 302, 200} <= statuses, statuses
    assert not result.findings(), result.findings()


# ---------------------------------------------------------------- no answer

@scenario(Expect(exit=1, cause="http_silent_after_request", stage="http", targets=LOGIN))
def server_is_silent_after_the_request(lab):
    lab.stub("http-silent", LOGIN, certificate=lab.ca.service("login"))


@scenario(Expect(exit=1, cause="http_reset_on_request", stage="http", owner="firewall-team", targets=LOGIN))
def request_is_reset(lab):
    lab.stub("http-rst", LOGIN, certificate=lab.ca.service("login"))


@scenario(Expect(exit=1, cause="http_reset_on_request", stage="http", owner="firewall-team", targets="www.msftconnecttest.com"))
def plain_request_of_one_host_is_reset(lab):
    lab.stub("http-rst", "www.msftconnecttest.com", port=80)


@scenario(Expect(exit=1, cause="http_silent_after_request", stage="http", targets="www.msftconnecttest.com"))
def plain_request_of_one_host_is_swallowed(lab):
    lab.stub("http-silent", "www.msftconnecttest.com", port=80)


# ---------------------------------------------------------------- limits of the run

@scenario(Expect(exit=3, cause="meas_budget_cut_short", status="inconclusive", finding="warn", targets=LOGIN, seconds=3))
def deadline_comes_before_the_timeout(lab):
    lab.arguments += ["--deadline", str(lab.slowness), "--timeout", str(2 * lab.slowness)]
    lab.edge.drop(dst=LOGIN)
    result = yield
    assert result.report["run"]["end_reason"] == "deadline"
    assert 0.9 <= result.report["run"]["duration_ms"] / 1000 / lab.slowness <= 2, result.report["run"]["duration_ms"]


@scenario(Expect(exit=3, cause="meas_interrupted", status="inconclusive", finding="warn", targets=LOGIN, seconds=3))
def interrupted_while_one_name_hangs(lab):
    lab.edge.drop(dst=LOGIN)
    lab.arguments += ["--timeout", str(2 * lab.slowness)]
    lab.interrupt_after = lab.slowness
    result = yield
    assert result.report["run"]["end_reason"] == "interrupted"
    assert "ended_at" in result.report["run"] and result.report["run"]["duration_ms"] <= 2000 * lab.slowness


@scenario(Expect(exit=3, cause="meas_interrupted", status="inconclusive", finding="warn", seconds=2))
def interrupted_while_everything_hangs(lab):
    lab.edge.drop(proto="tcp")
    lab.interrupt_after = 0.5 * lab.slowness
    result = yield
    assert result.report["run"]["end_reason"] == "interrupted"
    assert all(a["failure"] == "interrupted_error" for p in result.paths("login.*") for a in p["attempts"])


@scenario(Expect(exit=1, cause="tls_plain_reply", stage="tls", targets=LOGIN, warnings=("meas_budget_cut_short",)))
def deadline_and_a_fault_that_was_found_before_it(lab):
    lab.arguments += ["--deadline", str(lab.slowness)]
    lab.stub(r"plain:SSH-2.0-x\r\n", LOGIN)
