"""
Hostile peers: what they send has no end, makes no sense, comes one byte a second, or would speak to the terminal.

Each run must end within its bound, in bounded memory, and no byte of theirs may reach a report unescaped.
"""
import unicodedata

from lab.scenario import Expect, scenario

LOGIN = "login.microsoftonline.com"
HTTPS = ("login.*", "pod01-*", "*.core.windows.net", "*.blob.storage.azure.net", "go.microsoft.com", "download.microsoft.com", "aka.ms")
NCSI = ("www.msft*.com",)
PEAK_KIB = 48 * 1024
# Clears the screen, sets the title, turns the text around, ends a line of a log, and is markup.
NASTY = "\x1b[2J\x1b]0;owned\x07\x9b31m\u202e\rready<script>alert(1)</script>&\"'`|"
NASTY_BYTES = r"\x1b[2J\x1b]0;owned\x07\x9b31m\xe2\x80\xae\rready<script>alert(1)</script>&\"'`|"


def measured(lab):
    """A function for after the run: the memory was bounded.  (Wine's and the sanitizers' memory is not the program's.)"""
    if lab.slowness > 1 or "sanitize" in str(lab.build):
        return lambda: None
    peak_kib = lab.measure()

    def check():
        assert peak_kib() < PEAK_KIB, f"{peak_kib()} KiB"
    return check


def is_raw(character):
    """Would a terminal or an editor do something at this one?"""
    return unicodedata.category(character) in ("Cc", "Cf", "Zl", "Zp") and character != "\n"


def harmless(result, is_nasty):
    """Nothing that was written has a character that is not shown as it is; what is nasty was written."""
    assert not is_nasty or "owned" in result.json_text, "the report does not say what was received"
    for what, text in (("text report", result.text), ("JSON", result.json_text), ("stderr", result.errors)):
        raw = sorted({repr(c) for c in text if is_raw(c)})
        assert not raw, f"the {what} holds {', '.join(raw)}"


def reply_file(lab, *lines):
    """A reply of exactly these lines, for the stub."""
    path = lab.work / "reply"
    path.write_bytes("\r\n".join(lines).encode("latin-1", errors="replace") + b"\r\n\r\n")
    return path


def checks(lab, is_nasty=False, end_reason="complete"):
    """For the end of a scenario: harmless, ended by itself, and in bounded memory."""
    memory = measured(lab)

    def check(result):
        harmless(result, is_nasty)
        assert result.report["run"]["end_reason"] == end_reason, result.report["run"]["end_reason"]
        memory()
    return check


# ---------------------------------------------------------------- targets

def at_login(lab, mode):
    """The stub, with a good certificate, in place of the sign-in page."""
    lab.stub(mode, LOGIN, certificate=lab.ca.service("login"))


@scenario(Expect(exit=1, cause="http_block_page", targets=LOGIN, seconds=5))
def target_sends_headers_without_end(lab):
    check = checks(lab)
    at_login(lab, "http-headers")
    check((yield))


@scenario(Expect(exit=0, seconds=5))
def target_sends_a_gigabyte(lab):
    check = checks(lab)
    at_login(lab, "http-body")
    check((yield))


@scenario(Expect(exit=1, cause="http_silent_after_request", targets=LOGIN, seconds=6))
def target_sends_one_byte_a_second(lab):
    check = checks(lab)
    at_login(lab, f"http-drip:{reply_file(lab, 'HTTP/1.1 200 OK', 'Server: slow')}")
    check((yield))


@scenario(Expect(exit=1, cause="tls_cut_mid_handshake", targets=LOGIN, seconds=6))
def target_sends_its_server_hello_one_byte_a_second(lab):
    check = checks(lab)
    lab.stub(r"drip:\x16\x03\x03\x00\x7a\x02\x00\x00\x76\x03\x03" + "a" * 60, LOGIN)
    check((yield))


@scenario(Expect(exit=1, cause="tls_plain_reply", targets=LOGIN, seconds=5))
def target_answers_the_hello_with_noise(lab):
    check = checks(lab)
    lab.stub("garbage:", LOGIN)
    check((yield))


@scenario(Expect(exit=1, cause="tls_alert_other", targets=LOGIN, seconds=5))
def target_answers_the_hello_with_a_record_of_noise(lab):
    check = checks(lab)
    lab.stub(r"garbage:\x16\x03\x03\x40\x00\x02\x00\x3f\xfc\x03\x03", LOGIN)
    check((yield))


@scenario(Expect(exit=1, cause="tls_plain_reply", targets=LOGIN, seconds=5))
def target_answers_the_hello_with_a_nasty_banner(lab):
    check = checks(lab, is_nasty=True)
    lab.stub(f"plain:220 {NASTY_BYTES}\\r\\n", LOGIN)
    check((yield))


@scenario(Expect(exit=1, cause="http_service_4xx_policy", targets=LOGIN, seconds=5))
def target_has_nasty_headers(lab):
    check = checks(lab, is_nasty=True)
    path = reply_file(lab, f"HTTP/1.1 403 {NASTY}", f"Server: {NASTY}", f"Via: 1.1 {NASTY}", "Content-Type: text/html",
                      f"X-Squid-Error: {NASTY}", f"x-ms-request-id: {NASTY}", "", f"<title>{NASTY}</title>")
    at_login(lab, f"http-reply:{path}")
    check((yield))


@scenario(Expect(exit=0, seconds=5))
def target_redirects_to_a_nasty_place(lab):
    check = checks(lab, is_nasty=True)
    at_login(lab, f"http-reply:{reply_file(lab, 'HTTP/1.1 302 Found', f'Location: https://evil.test/{NASTY}', 'Content-Length: 0')}")
    check((yield))


@scenario(Expect(exit=1, cause="tls_self_signed_appliance", targets=LOGIN, seconds=5))
def certificate_has_a_nasty_subject(lab):
    check = checks(lab, is_nasty=True)
    subject = "/O=" + NASTY.replace("/", "\\/") + "/CN=appliance"
    lab.web.tls(LOGIN, lab.ca.issue(LOGIN, issuer="self", subject=subject, directory=lab.work))
    check((yield))


@scenario(Expect(exit=1, cause="tls_intercepted_untrusted", targets=LOGIN, seconds=5))
def certificate_has_a_nasty_issuer(lab):
    check = checks(lab, is_nasty=True)
    inspector = lab.ca.new_inspector(lab.work, subject="/O=" + NASTY.replace("/", "\\/") + "/CN=inspector")
    lab.web.tls(LOGIN, lab.ca.issue(LOGIN, issuer=inspector, directory=lab.work))
    check((yield))


@scenario(Expect(exit=0, seconds=5))
def dns_answers_with_nasty_aliases(lab):
    check = checks(lab, is_nasty=True)
    label = "".join(f"\\{byte:03d}" for byte in NASTY.encode("utf-8")[:60])  # RFC 1035 5.1
    lab.names.hosts[LOGIN].chain = [f"{label}.evil.test"]
    check((yield))


def by_dns(lab, mode):
    """Both servers answer so."""
    for server in (lab.dns1, lab.dns2):
        server.wrong(mode)


@scenario(Expect(exit=1, cause="dns_reply_malformed", seconds=5))
def dns_answers_with_noise(lab):
    check = checks(lab)
    by_dns(lab, "noise")
    check((yield))


@scenario(Expect(exit=1, cause="dns_reply_malformed", seconds=5))
def dns_answers_another_question(lab):
    check = checks(lab)
    by_dns(lab, "wrong-question")
    check((yield))


@scenario(Expect(exit=1, cause="dns_reply_malformed", seconds=5))
def dns_answers_with_a_name_that_points_to_itself(lab):
    check = checks(lab)
    by_dns(lab, "pointer-loop")
    check((yield))


@scenario(Expect(exit=1, cause="dns_reply_malformed", seconds=5))
def dns_answers_with_half_a_record(lab):
    check = checks(lab)
    by_dns(lab, "cut")
    check((yield))


@scenario(Expect(exit=1, cause="dns_reply_malformed", seconds=6))
def dns_floods_with_answers_to_other_questions(lab):
    check = checks(lab)
    by_dns(lab, "flood")
    check((yield))


@scenario(Expect(exit=1, cause="dns_tcp_fallback_blocked", seconds=6))
def dns_sends_one_byte_a_second(lab):
    check = checks(lab)
    by_dns(lab, "drip")
    check((yield))


# ---------------------------------------------------------------- proxies

def by_proxy(lab, mode):
    """The stub as everybody's proxy."""
    proxy = lab.proxy_stub(mode)
    lab.reg(user=proxy, system=proxy)


@scenario(Expect(exit=1, cause="prx_reply_malformed", seconds=10), arguments=("--timeout", "5"))
def proxy_sends_headers_without_end(lab):
    check = checks(lab)
    by_proxy(lab, "http-headers")
    check((yield))


@scenario(Expect(exit=1, cause="prx_block_page", targets=HTTPS + NCSI, seconds=6))
def proxy_sends_a_gigabyte(lab):
    check = checks(lab)
    by_proxy(lab, "http-body")
    check((yield))


@scenario(Expect(exit=1, cause="prx_overloaded", seconds=6))
def proxy_sends_one_byte_a_second(lab):
    check = checks(lab)
    by_proxy(lab, f"http-drip:{reply_file(lab, 'HTTP/1.1 200 Connection established')}")
    check((yield))


@scenario(Expect(exit=3, cause="meas_budget_cut_short", status="inconclusive", finding="warn", seconds=5),
          arguments=("--timeout", "30", "--deadline", "3"))
def proxy_sends_one_byte_a_second_up_to_the_deadline(lab):
    check = checks(lab, end_reason="deadline")
    by_proxy(lab, f"http-drip:{reply_file(lab, 'HTTP/1.1 200 Connection established')}")
    check((yield))


@scenario(Expect(exit=1, cause="prx_not_http", seconds=6))
def proxy_answers_with_noise(lab):
    check = checks(lab)
    by_proxy(lab, "garbage:")
    check((yield))


@scenario(Expect(exit=1, cause="prx_acl_denied", seconds=6))
def proxy_has_nasty_headers(lab):
    check = checks(lab, is_nasty=True)
    by_proxy(lab, f"http-reply:{reply_file(lab, f'HTTP/1.1 403 {NASTY}', f'Server: {NASTY}', f'Via: 1.1 {NASTY}', 'Content-Length: 0')}")
    check((yield))


@scenario(Expect(exit=3, status="inconclusive", finding="warn", cause="prx_auth_scheme_unusable", seconds=6))
def proxy_asks_for_a_nasty_sign_in(lab):
    check = checks(lab, )
    by_proxy(lab, "http-reply:" + str(reply_file(lab, "HTTP/1.1 407 Proxy Authentication Required", f'Proxy-Authenticate: Basic realm="{NASTY}"',
                                                 f"Proxy-Authenticate: {NASTY} realm=x", "Content-Length: 0")))
    check((yield))


@scenario(Expect(exit=1, cause="prx_not_http", seconds=6))
def proxy_has_a_nasty_banner(lab):
    check = checks(lab, is_nasty=True)
    by_proxy(lab, f"plain:220 {NASTY_BYTES}\\r\\n")
    check((yield))
