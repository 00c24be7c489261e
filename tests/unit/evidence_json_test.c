#include "probe/core/evidence_json.h"

#include "probe/core/err.h"
#include "probe/core/strbuf.h"
#include "tests/unit/check.h"
#include "tests/unit/full_report.h"
#include "tests/unit/same_members.h"

/* Write, read, write: the same bytes. Gives the report that was read, NULL on error. */
static struct report *check_round_trip(const struct report *report)
{
	struct strbuf first, second;
	struct err err = {""};
	struct report *back = NULL;
	strbuf_init(&first);
	strbuf_init(&second);
	report_to_json(report, &first);
	CHECK(report_from_json(first.data, first.length, "first.json", &back, &err));
	CHECK_TEXT(err.text, "");
	if (back)
		report_to_json(back, &second);
	CHECK(first.length == second.length);
	CHECK(strcmp(first.data, second.data) == 0);
	strbuf_free(&first);
	strbuf_free(&second);
	return back;
}

static void same_headers(const struct header_list *a, const struct header_list *b)
{
	CHECK_INT(b->count, a->count);
	for (size_t i = 0; i < a->count; i++)
		CHECK_TEXT(header_find(b, a->items[i].name), header_find(a, a->items[i].name));
}

static void same_tuple(const struct tuple *a, const struct tuple *b)
{
	SAME_TEXT(a, b, proto);
	SAME_TEXT(a, b, src);
	SAME_TEXT(a, b, dst);
	SAME(a, b, src_port);
	SAME(a, b, dst_port);
}

static void same_icmp(const struct icmp_error *a, const struct icmp_error *b)
{
	SAME_TEXT(a, b, from);
	SAME(a, b, type);
	SAME(a, b, code);
	SAME(a, b, mtu);
}

static void same_setting(const struct proxy_setting *a, const struct proxy_setting *b)
{
	CHECK(b != NULL);
	if (!b)
		return;
	SAME(a, b, identity);
	SAME(a, b, kind);
	SAME(a, b, found);
	SAME_TEXT(a, b, scope);
	SAME_TEXT(a, b, source);
	SAME_TEXT(a, b, location);
	SAME(a, b, auto_detect);
	SAME(a, b, pac_enabled);
	SAME(a, b, proxy_enabled);
	SAME_TEXT(a, b, pac_url);
	SAME_TEXT(a, b, proxy_server);
	SAME_TEXT(a, b, proxy_bypass);
	SAME(a, b, blob_found);
	SAME(a, b, blob_malformed);
	SAME(a, b, disagree);
	SAME(a, b, blob_version);
	SAME(a, b, blob_counter);
	SAME(a, b, blob_flags);
	same_texts(&a->order, &b->order);
	same_texts(&a->problems, &b->problems);
}

static void same_run(const struct report *a, const struct report *b)
{
	SAME_TEXT(a, b, tool.name);
	SAME_TEXT(a, b, tool.version);
	SAME(a, b, tool.library_count);
	SAME_TEXT(a, b, tool.libraries[1].version);
	SAME_TEXT(a, b, run.id);
	SAME(a, b, run.started_at_ms);
	SAME(a, b, run.ended_at_ms);
	SAME(a, b, run.duration_us);
	same_texts(&a->run.arguments, &b->run.arguments);
	SAME(a, b, run.end_reason);
	SAME_TEXT(a, b, run.region);
	SAME(a, b, run.region_assumed);
	SAME(a, b, run.region_used);
	same_texts(&a->run.service_roots, &b->run.service_roots);
	SAME(a, b, run.service_roots_given);
	SAME_TEXT(a, b, run.private_endpoint);
	SAME(a, b, run.timeout_us);
	SAME(a, b, run.experiments);
	SAME(a, b, run.credentials);
	same_texts(&a->run.allow_rules, &b->run.allow_rules);
	same_tags(a->run.tags, b->run.tags);
	same_vault(a->run.vault, b->run.vault);
	SAME(a, b, route_given);
}

static void same_host(const struct report *a, const struct report *b)
{
	SAME_TEXT(a, b, host.name);
	SAME_TEXT(a, b, host.os);
	same_texts(&a->host.addresses, &b->host.addresses);
	same_texts(&a->host.resolvers, &b->host.resolvers);
	SAME(a, b, host.clock_offset_ms);
	SAME_TEXT(a, b, host.clock_source);
	SAME(a, b, host.clock_witnesses);
	SAME(a, b, identity_count);
	for (size_t i = 0; i < a->identity_count; i++) {
		const struct identity *was = &a->identities[i], *is = &b->identities[i];
		SAME(was, is, id);
		SAME_TEXT(was, is, account);
		SAME(was, is, mode);
		SAME_TEXT(was, is, why);
		same_setting(was->wininet, is->wininet);
		same_setting(was->winhttp, is->winhttp);
		same_setting(was->agent, is->agent);
		same_setting(was->env, is->env);
	}
}

static void same_target(const struct target *a, const struct target *b)
{
	SAME_TEXT(a, b, id);
	SAME(a, b, kind);
	SAME_TEXT(a, b, name);
	SAME_TEXT(a, b, url);
	SAME_TEXT(a, b, host);
	SAME(a, b, port);
	SAME_TEXT(a, b, cidr);
	SAME_TEXT(a, b, rule);
	SAME(a, b, required);
	SAME(a, b, stand_in);
	SAME(a, b, regional);
	SAME_TEXT(a, b, service);
	SAME(a, b, expect.status_count);
	SAME(a, b, expect.status[1]);
	same_texts(&a->expect.headers, &b->expect.headers);
	SAME_TEXT(a, b, expect.body);
	same_texts(&a->tags, &b->tags);
}

static void same_packets(const struct report *a, const struct report *b)
{
	const struct dns_query *dns = &a->observations.items[0]->dns, *dns2 = &b->observations.items[0]->dns;
	same_tuple(&dns->tuple, &dns2->tuple);
	SAME_TEXT(dns, dns2, server);
	SAME(dns, dns2, control);
	SAME_TEXT(dns, dns2, transport);
	SAME_TEXT(dns, dns2, name);
	SAME_TEXT(dns, dns2, type);
	SAME(dns, dns2, rcode);
	SAME(dns, dns2, answer_count);
	SAME_TEXT(dns, dns2, answers[0].name);
	SAME_TEXT(dns, dns2, answers[0].type);
	SAME_TEXT(dns, dns2, answers[0].data);
	SAME(dns, dns2, answers[0].ttl_s);
	SAME(dns, dns2, answers[1].ttl_s);
	SAME(dns, dns2, truncated);
	SAME(dns, dns2, ede);
	SAME(dns, dns2, tries);
	same_icmp(&dns->icmp, &dns2->icmp);
	SAME_TEXT(a, b, observations.items[1]->lookup.name);
	same_texts(&a->observations.items[1]->lookup.addresses, &b->observations.items[1]->lookup.addresses);
	const struct tcp_connect *tcp = &a->observations.items[2]->tcp, *tcp2 = &b->observations.items[2]->tcp;
	same_tuple(&tcp->tuple, &tcp2->tuple);
	SAME_TEXT(tcp, tcp2, peer);
	same_icmp(&tcp->icmp, &tcp2->icmp);
	SAME(tcp, tcp2, has_tcp_info);
	SAME(tcp, tcp2, tcp_info.rtt_us);
	SAME(tcp, tcp2, tcp_info.retransmits);
	SAME(tcp, tcp2, tcp_info.unacked);
	SAME(tcp, tcp2, tcp_info.mss);
	SAME(tcp, tcp2, tcp_info.segments);
	SAME(tcp, tcp2, min_ttl);
	SAME(tcp, tcp2, syn_ack_ttl);
	SAME(tcp, tcp2, reset_ttl);
	SAME(tcp, tcp2, sent_bytes);
	SAME(tcp, tcp2, bytes_acked);
	SAME(tcp, tcp2, bytes_received);
	SAME_TEXT(tcp, tcp2, first_bytes);
	const struct ttl_probe *ttl = &a->observations.items[3]->ttl, *ttl2 = &b->observations.items[3]->ttl;
	same_tuple(&ttl->tuple, &ttl2->tuple);
	SAME(ttl, ttl2, ttl);
	SAME(ttl, ttl2, expired);
	SAME_TEXT(ttl, ttl2, sent);
	SAME_TEXT(ttl, ttl2, from);
	same_icmp(&ttl->icmp, &ttl2->icmp);
	SAME_TEXT(ttl, ttl2, tcp);
	const struct local_fact *fact = &a->observations.items[4]->fact, *fact2 = &b->observations.items[4]->fact;
	SAME_TEXT(fact, fact2, fact);
	SAME_TEXT(fact, fact2, subject);
	SAME_TEXT(fact, fact2, state);
	same_texts(&fact->values, &fact2->values);
}

static void same_exchanges(const struct report *a, const struct report *b)
{
	const struct proxy_exchange *proxy = &a->observations.items[5]->proxy;
	const struct proxy_exchange *proxy2 = &b->observations.items[5]->proxy;
	same_tuple(&proxy->tuple, &proxy2->tuple);
	SAME_TEXT(proxy, proxy2, proxy);
	SAME_TEXT(proxy, proxy2, protocol);
	SAME_TEXT(proxy, proxy2, method);
	SAME_TEXT(proxy, proxy2, request);
	SAME(proxy, proxy2, status);
	SAME(proxy, proxy2, socks_reply);
	same_texts(&proxy->schemes, &proxy2->schemes);
	same_headers(&proxy->headers, &proxy2->headers);
	SAME_TEXT(proxy, proxy2, auth_tried);
	SAME_TEXT(proxy, proxy2, auth_problem);
	SAME_TEXT(proxy, proxy2, body_head);
	SAME_TEXT(proxy, proxy2, first_bytes);
	const struct http_exchange *http = &a->observations.items[6]->http, *http2 = &b->observations.items[6]->http;
	same_tuple(&http->tuple, &http2->tuple);
	SAME_TEXT(http, http2, method);
	SAME_TEXT(http, http2, url);
	SAME(http, http2, by_proxy);
	SAME(http, http2, status);
	same_headers(&http->headers, &http2->headers);
	SAME(http, http2, body_bytes);
	SAME_TEXT(http, http2, body_sha256);
	SAME_TEXT(http, http2, body_head);
	SAME(http, http2, body_matches);
	SAME(http, http2, bytes_acked);
	SAME_TEXT(http, http2, error);
}

static void same_handshake(const struct tls_handshake *a, const struct tls_handshake *b)
{
	same_tuple(&a->tuple, &b->tuple);
	SAME_TEXT(a, b, peer);
	SAME_TEXT(a, b, sni);
	SAME(a, b, progress);
	SAME_TEXT(a, b, version);
	SAME_TEXT(a, b, cipher);
	SAME(a, b, alert);
	SAME(a, b, alert_sent);
	SAME_TEXT(a, b, plain_reply);
	SAME_TEXT(a, b, error);
	SAME(a, b, chain_count);
	SAME_TEXT(a, b, chain[0].subject);
	SAME_TEXT(a, b, chain[0].issuer);
	SAME_TEXT(a, b, chain[0].subject_cn);
	SAME_TEXT(a, b, chain[0].issuer_cn);
	SAME_TEXT(a, b, chain[0].issuer_o);
	SAME(a, b, chain[0].not_before_s);
	SAME(a, b, chain[0].not_after_s);
	SAME_TEXT(a, b, chain[0].sha256);
	SAME(a, b, chain[0].is_ca);
	SAME(a, b, chain[0].has_aia);
	same_texts(&a->names, &b->names);
	SAME_TEXT(a, b, verify);
	SAME(a, b, name_matches);
	SAME_TEXT(a, b, root_subject);
	SAME_TEXT(a, b, root_sha256);
	SAME(a, b, root_service);
	SAME(a, b, root_public);
	SAME_TEXT(a, b, root_store);
	SAME_TEXT(a, b, system_verify);
	SAME(a, b, verified_at_s);
	SAME(a, b, bytes_acked);
	SAME(a, b, bytes_received);
	SAME(a, b, hello_bytes);
	SAME(a, b, segment_bytes);
}

static void same_path(const struct path *a, const struct path *b)
{
	SAME_TEXT(a, b, id);
	SAME_TEXT(a, b, target->id);
	SAME(a, b, identity);
	SAME(a, b, route.kind);
	SAME_TEXT(a, b, route.via);
	SAME_TEXT(a, b, route.source);
	SAME_TEXT(a, b, route.rule);
	SAME_TEXT(a, b, route.problem);
	SAME_TEXT(a, b, route.mechanism);
	SAME_TEXT(a, b, route.error);
	same_texts(&a->route.list, &b->route.list);
	SAME(a, b, effective);
	SAME(a, b, attempt_count);
	SAME_TEXT(a, b, attempts[0]->address);
	SAME(a, b, attempts[0]->port);
	SAME_TEXT(a, b, attempts[0]->source);
	SAME(a, b, attempts[0]->found_by);
	SAME_TEXT(a, b, attempts[0]->via);
	SAME(a, b, attempts[0]->started_at_ms);
	SAME(a, b, attempts[0]->ended_at_ms);
	SAME(a, b, attempts[0]->failure);
	SAME_TEXT(a, b, attempts[0]->observations.items[0]->id);
	SAME(a, b, stage_count);
	SAME(a, b, stages[1].stage);
	SAME(a, b, stages[1].status);
	SAME(a, b, stages[1].start_us);
	SAME(a, b, stages[1].duration_us);
	SAME_TEXT(a, b, stages[1].because);
	const struct verdict *v = &a->verdict, *v2 = &b->verdict;
	SAME(v, v2, status);
	SAME(v, v2, stage);
	SAME_TEXT(v, v2, cause);
	SAME(v, v2, owner);
	CHECK_INT(v2->confidence * 1000 + 0.5, v->confidence * 1000 + 0.5);
	SAME(v, v2, has_place);
	SAME(v, v2, at.hop);
	SAME_TEXT(v, v2, at.last_heard);
	SAME_TEXT(v, v2, at.first_silent);
	SAME_TEXT(v, v2, evidence.items[0]->id);
	same_texts(&v->also, &v2->also);
	same_texts(&v->not_run, &v2->not_run);
}

static void same_finding(const struct finding *a, const struct finding *b)
{
	SAME_TEXT(a, b, id);
	SAME(a, b, status);
	SAME(a, b, stage);
	SAME_TEXT(a, b, cause);
	SAME(a, b, owner);
	SAME(a, b, subject_kind);
	SAME_TEXT(a, b, subject);
	CHECK_INT(b->confidence * 1000 + 0.5, a->confidence * 1000 + 0.5);
	SAME(a, b, target_count);
	SAME_TEXT(a, b, targets[0]->id);
	SAME_TEXT(a, b, paths.items[0]->id);
	SAME_TEXT(a, b, summary);
	same_texts(&a->remedy, &b->remedy);
	SAME_TEXT(a, b, evidence.items[0]->id);
	SAME(a, b, flow_count);
	const struct flow *flow = &a->flows[0], *flow2 = &b->flows[0];
	same_tuple(&flow->tuple, &flow2->tuple);
	SAME_TEXT(flow, flow2, fqdn);
	SAME_TEXT(flow, flow2, sni);
	SAME(flow, flow2, first_at_ms);
	SAME(flow, flow2, last_at_ms);
	SAME(flow, flow2, attempts);
	SAME_TEXT(flow, flow2, outcome);
	SAME_TEXT(flow, flow2, seen_from);
}

static void same_scripts(const struct report *report, const struct report *back)
{
	const struct proxy_script *script = &report->observations.items[8]->script,
				  *script2 = &back->observations.items[8]->script;
	SAME_TEXT(script, script2, mechanism);
	SAME_TEXT(script, script2, found_by);
	SAME_TEXT(script, script2, url);
	SAME_TEXT(script, script2, error);
	SAME_TEXT(script, script2, message);
	SAME_TEXT(script, script2, sandbox);
	SAME_TEXT(script, script2, mime);
	SAME_TEXT(script, script2, sha256);
	SAME(script, script2, bytes);
	SAME(script, script2, status);
	same_texts(&script->names, &script2->names);
	const struct proxy_decision *decision = &report->observations.items[9]->decision,
				    *decision2 = &back->observations.items[9]->decision;
	SAME_TEXT(decision, decision2, mechanism);
	SAME_TEXT(decision, decision2, script);
	SAME_TEXT(decision, decision2, url);
	SAME_TEXT(decision, decision2, entry_point);
	SAME_TEXT(decision, decision2, error);
	SAME_TEXT(decision, decision2, message);
	SAME_TEXT(decision, decision2, result);
	same_texts(&decision->via, &decision2->via);
	CHECK_INT(decision2->call_count, 1);
	SAME_TEXT(decision, decision2, calls[0].call);
	SAME_TEXT(decision, decision2, calls[0].result);
	SAME(decision, decision2, calls[0].line);
}

static void test_every_field_comes_back(void)
{
	struct report *report = full_report();
	struct report *back = check_round_trip(report);
	if (back) {
		same_run(report, back);
		same_host(report, back);
		same_target(report->targets[0], back->targets[0]);
		CHECK_INT(back->observations.count, 10);
		for (size_t i = 0; i < 10; i++) {
			const struct observation *o = report->observations.items[i], *o2 = back->observations.items[i];
			SAME_TEXT(o, o2, id);
			SAME(o, o2, op);
			SAME_TEXT(o, o2, paths.items[0]->id);
			SAME_TEXT(o, o2, experiment);
			SAME(o, o2, start_us);
			SAME(o, o2, duration_us);
			SAME(o, o2, failure);
			SAME_TEXT(o, o2, os_error);
		}
		same_packets(report, back);
		same_exchanges(report, back);
		same_handshake(&report->observations.items[7]->tls, &back->observations.items[7]->tls);
		same_scripts(report, back);
		same_path(report->paths[0], back->paths[0]);
		same_finding(report->findings[0], back->findings[0]);
		same_checks(report, back);
		CHECK(back->coverage != NULL);
		same_coverage(report->coverage, back->coverage);
		CHECK_INT(back->sweep_count, 1);
		same_sweep(&report->sweeps[0], &back->sweeps[0]);
		SAME(report, back, readiness.ready);
		SAME_TEXT(report, back, readiness.basis);
		same_texts(&report->readiness.blocking, &back->readiness.blocking);
		same_texts(&report->readiness.inconclusive, &back->readiness.inconclusive);
	}
	report_free(report);
	report_free(back);
}

static void test_full_document_has_no_null(void)
{
	struct report *report = full_report();
	struct strbuf json;
	strbuf_init(&json);
	report_to_json(report, &json);
	CHECK(strstr(json.data, "null") == NULL);
	strbuf_free(&json);
	report_free(report);
}

static void test_what_was_not_asked_for_is_absent(void)
{
	static const char *const members[] = {"\"coverage\"", "\"sweeps\"", "\"checks\""};
	struct report *report = report_new();
	struct strbuf json;
	strbuf_init(&json);
	report_to_json(report, &json);
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		CHECK(strstr(json.data, members[i]) == NULL);
	strbuf_free(&json);
	report_free(check_round_trip(report));
	report_free(report);
}

int main(void)
{
	test_what_was_not_asked_for_is_absent();
	test_every_field_comes_back();
	test_full_document_has_no_null();
	return check_summary();
}
