#include "probe/core/evidence_fields.h"

#include <string.h>

/* The words of each enum, behind one signature. */
#define WORDS(name, type)                                      \
	static const char *name##_word(const void *field)      \
	{                                                      \
		return name##_text(*(const type *)field);      \
	}                                                      \
	static bool name##_take(const char *text, void *field) \
	{                                                      \
		return name##_parse(text, (type *)field);      \
	}                                                      \
	static const struct field_words name##_words = {name##_word, name##_take}

static const char *target_kind_text(enum target_kind kind)
{
	switch (kind) {
	case TARGET_URL:
		return "url";
	case TARGET_TCP:
		return "tcp";
	case TARGET_CIDR:
		return "cidr";
	}
	return NULL;
}

static bool target_kind_parse(const char *text, enum target_kind *out)
{
	for (enum target_kind kind = TARGET_URL; kind <= TARGET_CIDR; kind++) {
		if (strcmp(target_kind_text(kind), text) != 0)
			continue;
		*out = kind;
		return true;
	}
	return false;
}

/* A string that a newer version wrote is still a failure. */
static const char *failure_word(const void *field)
{
	return failure_text(*(const enum failure *)field);
}

static bool failure_take(const char *text, void *field)
{
	*(enum failure *)field = failure_parse(text);
	return true;
}

static const struct field_words failure_words = {failure_word, failure_take};
WORDS(stage, enum stage);
WORDS(status, enum status);
WORDS(owner, enum owner);
WORDS(identity, enum identity_id);
WORDS(identity_mode, enum identity_mode);
WORDS(route_kind, enum route_kind);
WORDS(end_reason, enum end_reason);
WORDS(found_by, enum found_by);
WORDS(subject_kind, enum subject_kind);
WORDS(target_kind, enum target_kind);
WORDS(op, enum op);
WORDS(sweep_state, enum sweep_state);
WORDS(audit_state, enum audit_state);

/* ------------------------------------------------------------------ run, host, identities */

static const struct field tool_rows[] = {
	ROW("name", TEXT, report, tool.name),
	ROW("version", TEXT, report, tool.version),
	ROW("libraries", LIBRARIES, report, tool.libraries),
};
static const struct field_shape tool_shape = SHAPE(tool_rows, report);

static const struct field tag_list_rows[] = {
	ROW("tag", TEXT, tag_list, tag, .required = true),
	ROW("change_number", INT64, tag_list, change_number),
	ROW("prefixes", TEXTS, tag_list, prefixes),
};
static const struct field_shape tag_list_shape = SHAPE(tag_list_rows, tag_list);

static const struct field tags_rows[] = {
	ROW("file", TEXT, tags_input, file, .required = true),
	ROW("form", TEXT, tags_input, form),
	ROW("cloud", TEXT, tags_input, cloud),
	ROW("change_number", INT64, tags_input, change_number),
	ROW("date", TEXT, tags_input, date),
	ROW("tags", COUNT, tags_input, tags),
	ROW("prefixes", COUNT, tags_input, prefixes),
	ROW("lists", LIST, tags_input, lists, .shape = &tag_list_shape, GROWING(tags_input, list_count, list_capacity)),
};
static const struct field_shape tags_shape = SHAPE(tags_rows, tags_input);

static const struct field vault_rows[] = {
	ROW("file", TEXT, vault_file, file, .required = true),
	ROW("kind", TEXT, vault_file, kind),
	ROW("version", TEXT, vault_file, version),
	ROW("vault", TEXT, vault_file, vault),
	ROW("location", TEXT, vault_file, location),
	ROW("tenant_id", TEXT, vault_file, tenant_id),
	ROW("authority", TEXT, vault_file, authority),
	ROW("endpoint", TEXT, vault_file, endpoint),
	ROW("cloud", TEXT, vault_file, cloud),
	ROW("region", TEXT, vault_file, region),
	ROW("certificate", TEXT, vault_file, certificate),
	ROW("encryption", TEXT, vault_file, encryption),
	ROW("subject", TEXT, vault_file, subject),
	ROW("thumbprint", TEXT, vault_file, thumbprint),
	ROW("not_before", AT_S, vault_file, not_before_s),
	ROW("not_after", AT_S, vault_file, not_after_s),
};
static const struct field_shape vault_shape = SHAPE(vault_rows, vault_file);

static const struct field input_rows[] = {
	ROW("region", TEXT, report, run.region),
	ROW("region_assumed", BOOL, report, run.region_assumed),
	ROW("service_roots_sha256", TEXTS, report, run.service_roots),
	ROW("private_endpoint", TEXT, report, run.private_endpoint),
	ROW("region_used", BOOL, report, run.region_used),
	ROW("service_roots_given", BOOL, report, run.service_roots_given),
	ROW("timeout_ms", US, report, run.timeout_us),
	ROW("experiments", BOOL, report, run.experiments),
	ROW("credentials", BOOL, report, run.credentials),
	ROW("route_given", BOOL, report, route_given),
	ROW("allow_rules", TEXTS, report, run.allow_rules),
	ROW("service_tags", POINTER, report, run.tags, .shape = &tags_shape),
	ROW("vault_credentials", POINTER, report, run.vault, .shape = &vault_shape),
};
static const struct field_shape input_shape = SHAPE(input_rows, report);

static const struct field run_rows[] = {
	ROW("id", TEXT, report, run.id),
	ROW("started_at", AT_MS, report, run.started_at_ms),
	ROW("ended_at", AT_MS, report, run.ended_at_ms),
	ROW("duration_ms", US, report, run.duration_us),
	ROW("arguments", TEXTS, report, run.arguments),
	ROW("end_reason", WORD, report, run.end_reason, .words = &end_reason_words),
	GROUP("inputs", input_shape),
};
static const struct field_shape run_shape = SHAPE(run_rows, report);

static bool clock_is_present(const void *holder, size_t offset)
{
	(void)offset;
	return ((const struct report *)holder)->host.clock_witnesses > 0;
}

static const struct field clock_rows[] = {
	ROW("offset_ms", SIGNED, report, host.clock_offset_ms, .present = clock_is_present),
	ROW("source", TEXT, report, host.clock_source),
	ROW("witnesses", COUNT, report, host.clock_witnesses),
};
static const struct field_shape clock_shape = SHAPE(clock_rows, report);

static const struct field host_rows[] = {
	ROW("name", TEXT, report, host.name),
	ROW("os", TEXT, report, host.os),
	ROW("addresses", TEXTS, report, host.addresses),
	ROW("resolvers", TEXTS, report, host.resolvers),
	GROUP("clock", clock_shape),
};
static const struct field_shape host_shape = SHAPE(host_rows, report);

static const struct field blob_rows[] = {
	ROW("version", INT, proxy_setting, blob_version),
	ROW("counter", INT, proxy_setting, blob_counter),
	ROW("flags", INT, proxy_setting, blob_flags),
	ROW("malformed", BOOL, proxy_setting, blob_malformed),
};
static const struct field_shape blob_shape = SHAPE(blob_rows, proxy_setting);

static bool blob_is_present(const void *holder, size_t offset)
{
	(void)offset;
	return ((const struct proxy_setting *)holder)->blob_found;
}

static void blob_mark(void *holder)
{
	((struct proxy_setting *)holder)->blob_found = true;
}

static const struct field setting_rows[] = {
	ROW("identity", WORD, proxy_setting, identity, .words = &identity_words),
	ROW("kind", WORD, proxy_setting, kind, .words = &route_kind_words),
	ROW("found", BOOL, proxy_setting, found),
	ROW("scope", TEXT, proxy_setting, scope),
	ROW("source", TEXT, proxy_setting, source),
	ROW("location", TEXT, proxy_setting, location),
	ROW("auto_detect", BOOL, proxy_setting, auto_detect),
	ROW("pac_enabled", BOOL, proxy_setting, pac_enabled),
	ROW("pac_url", TEXT, proxy_setting, pac_url),
	ROW("proxy_enabled", BOOL, proxy_setting, proxy_enabled),
	ROW("proxy_server", TEXT, proxy_setting, proxy_server),
	ROW("proxy_bypass", TEXT, proxy_setting, proxy_bypass),
	GROUP("blob", blob_shape, .present = blob_is_present, .mark = blob_mark),
	ROW("disagree", BOOL, proxy_setting, disagree),
	ROW("order", TEXTS, proxy_setting, order),
	ROW("problems", TEXTS, proxy_setting, problems),
};
const struct field_shape proxy_setting_shape = SHAPE(setting_rows, proxy_setting);

static const struct field settings_rows[] = {
	ROW("wininet", POINTER, identity, wininet, .shape = &proxy_setting_shape),
	ROW("winhttp", POINTER, identity, winhttp, .shape = &proxy_setting_shape),
	ROW("agent", POINTER, identity, agent, .shape = &proxy_setting_shape),
	ROW("env", POINTER, identity, env, .shape = &proxy_setting_shape),
};
static const struct field_shape settings_shape = SHAPE(settings_rows, identity);

static const struct field identity_rows[] = {
	ROW("id", WORD, identity, id, .words = &identity_words, .required = true),
	ROW("account", TEXT, identity, account),
	ROW("mode", WORD, identity, mode, .words = &identity_mode_words),
	ROW("why", TEXT, identity, why),
	GROUP("settings", settings_shape),
};
static const struct field_shape identity_shape = SHAPE(identity_rows, identity);

/* ------------------------------------------------------------------ targets, paths */

static const struct field expect_rows[] = {
	ROW("status", STATUSES, expect, status),
	ROW("headers", TEXTS, expect, headers),
	ROW("body", TEXT, expect, body),
};
static const struct field_shape expect_shape = SHAPE(expect_rows, expect);

static const struct field target_rows[] = {
	ROW("id", TEXT, target, id, .required = true),
	ROW("name", TEXT, target, name, .required = true),
	ROW("url", TEXT, target, url),
	ROW("host", TEXT, target, host),
	ROW("port", PORT, target, port),
	ROW("rule", TEXT, target, rule),
	ROW("required", BOOL, target, required),
	ROW("stand_in", BOOL, target, stand_in),
	ROW("service", TEXT, target, service),
	ROW("expect", OBJECT, target, expect, .shape = &expect_shape),
	ROW("kind", WORD, target, kind, .words = &target_kind_words),
	ROW("cidr", TEXT, target, cidr),
	ROW("regional", BOOL, target, regional),
	ROW("service_tags", TEXTS, target, tags),
};
static const struct field_shape target_shape = SHAPE(target_rows, target);

static const struct field route_rows[] = {
	ROW("kind", WORD, route, kind, .words = &route_kind_words, .required = true),
	ROW("via", TEXT, route, via),
	ROW("source", TEXT, route, source),
	ROW("rule", TEXT, route, rule),
	ROW("problem", TEXT, route, problem),
	ROW("mechanism", TEXT, route, mechanism),
	ROW("error", TEXT, route, error),
	ROW("list", TEXTS, route, list),
};
static const struct field_shape route_shape = SHAPE(route_rows, route);

static const struct field stage_rows[] = {
	ROW("stage", WORD, stage_result, stage, .words = &stage_words, .required = true),
	ROW("status", WORD, stage_result, status, .words = &status_words, .required = true),
	ROW("start_ms", US, stage_result, start_us),
	ROW("duration_ms", US, stage_result, duration_us),
	ROW("because", TEXT, stage_result, because),
};
static const struct field_shape stage_shape = SHAPE(stage_rows, stage_result);

static const struct field attempt_rows[] = {
	ROW("address", TEXT, attempt, address),
	ROW("port", PORT, attempt, port),
	ROW("source", TEXT, attempt, source),
	ROW("started_at", AT_MS, attempt, started_at_ms),
	ROW("ended_at", AT_MS, attempt, ended_at_ms),
	ROW("failure", WORD, attempt, failure, .words = &failure_words),
	ROW("observations", OBSERVATIONS, attempt, observations),
	ROW("found_by", WORD, attempt, found_by, .words = &found_by_words),
	ROW("via", TEXT, attempt, via),
};
static const struct field_shape attempt_shape = SHAPE(attempt_rows, attempt);

static bool place_is_present(const void *holder, size_t offset)
{
	(void)offset;
	return ((const struct verdict *)holder)->has_place;
}

static void place_mark(void *holder)
{
	((struct verdict *)holder)->has_place = true;
}

static const struct field place_rows[] = {
	ROW("hop", INT, verdict, at.hop),
	ROW("last_heard", TEXT, verdict, at.last_heard),
	ROW("first_silent", TEXT, verdict, at.first_silent),
};
static const struct field_shape place_shape = SHAPE(place_rows, verdict);

static const struct field verdict_rows[] = {
	ROW("status", WORD, verdict, status, .words = &status_words, .required = true),
	ROW("stage", WORD, verdict, stage, .words = &stage_words),
	ROW("cause", TEXT, verdict, cause),
	ROW("owner", WORD, verdict, owner, .words = &owner_words),
	ROW("confidence", SHARE, verdict, confidence),
	GROUP("at", place_shape, .present = place_is_present, .mark = place_mark),
	ROW("evidence", OBSERVATIONS, verdict, evidence),
	ROW("also", TEXTS, verdict, also),
	ROW("not_run", TEXTS, verdict, not_run),
};
static const struct field_shape verdict_shape = SHAPE(verdict_rows, verdict);

static const struct field path_rows[] = {
	ROW("id", TEXT, path, id, .required = true),
	ROW("target", TARGET, path, target, .required = true),
	ROW("identity", WORD, path, identity, .words = &identity_words, .required = true),
	ROW("route", OBJECT, path, route, .shape = &route_shape, .required = true),
	ROW("effective", BOOL, path, effective),
	ROW("stages", ARRAY, path, stages, .shape = &stage_shape, .count_offset = offsetof(struct path, stage_count),
	    .max = STAGE_COUNT),
	ROW("attempts", POINTERS, path, attempts, .shape = &attempt_shape,
	    GROWING(path, attempt_count, attempt_capacity)),
	ROW("verdict", OBJECT, path, verdict, .shape = &verdict_shape),
};
static const struct field_shape path_shape = SHAPE(path_rows, path);

/* ------------------------------------------------------------------ observations, findings, the whole */

static const struct field observation_rows[] = {
	ROW("id", TEXT, observation, id, .required = true),
	ROW("op", WORD, observation, op, .words = &op_words, .required = true),
	ROW("paths", PATHS, observation, paths),
	ROW("experiment", TEXT, observation, experiment),
	ROW("start_ms", US, observation, start_us),
	ROW("duration_ms", US, observation, duration_us),
	ROW("failure", WORD, observation, failure, .words = &failure_words),
	ROW("os_error", TEXT, observation, os_error),
	{.kind = FIELD_OF_ITS_OP},
};
const struct field_shape any_observation_shape = SHAPE(observation_rows, observation);

static const struct field subject_rows[] = {
	ROW("kind", WORD, finding, subject_kind, .words = &subject_kind_words),
	ROW("value", TEXT, finding, subject),
};
static const struct field_shape subject_shape = SHAPE(subject_rows, finding);

static const struct field flow_rows[] = {
	ROW("proto", TEXT, flow, tuple.proto),
	ROW("src", TEXT, flow, tuple.src),
	ROW("src_port", PORT, flow, tuple.src_port),
	ROW("dst", TEXT, flow, tuple.dst),
	ROW("dst_port", PORT, flow, tuple.dst_port),
	ROW("fqdn", TEXT, flow, fqdn),
	ROW("sni", TEXT, flow, sni),
	ROW("first_at", AT_MS, flow, first_at_ms),
	ROW("last_at", AT_MS, flow, last_at_ms),
	ROW("attempts", INT, flow, attempts),
	ROW("outcome", TEXT, flow, outcome),
	ROW("seen_from", TEXT, flow, seen_from),
};
static const struct field_shape flow_shape = SHAPE(flow_rows, flow);

static const struct field finding_rows[] = {
	ROW("id", TEXT, finding, id, .required = true),
	ROW("status", WORD, finding, status, .words = &status_words, .required = true),
	ROW("stage", WORD, finding, stage, .words = &stage_words),
	ROW("cause", TEXT, finding, cause),
	ROW("owner", WORD, finding, owner, .words = &owner_words),
	GROUP("subject", subject_shape),
	ROW("targets", TARGETS, finding, targets, GROWING(finding, target_count, target_capacity)),
	ROW("paths", PATHS, finding, paths),
	ROW("summary", TEXT, finding, summary),
	ROW("remedy", TEXTS, finding, remedy),
	ROW("evidence", OBSERVATIONS, finding, evidence),
	ROW("flows", LIST, finding, flows, .shape = &flow_shape, GROWING(finding, flow_count, flow_capacity)),
	ROW("confidence", SHARE, finding, confidence),
};
static const struct field_shape finding_shape = SHAPE(finding_rows, finding);

static const struct field check_rows[] = {
	ROW("id", TEXT, check, id, .required = true),
	ROW("status", WORD, check, status, .words = &status_words),
	ROW("value", TEXT, check, value),
	ROW("source", TEXT, check, source),
	ROW("because", TEXT, check, because),
	ROW("cause", TEXT, check, cause),
};
static const struct field_shape check_shape = SHAPE(check_rows, check);

static const struct field sweep_count_rows[] = {
	ROW("open", INT64, sweep, counts[SWEEP_OPEN]),
	ROW("refused", INT64, sweep, counts[SWEEP_REFUSED]),
	ROW("filtered", INT64, sweep, counts[SWEEP_FILTERED]),
	ROW("prohibited", INT64, sweep, counts[SWEEP_PROHIBITED]),
	ROW("unreachable", INT64, sweep, counts[SWEEP_UNREACHABLE]),
	ROW("not_sent", INT64, sweep, counts[SWEEP_NOT_SENT]),
	ROW("untried", INT64, sweep, counts[SWEEP_UNTRIED]),
};
static const struct field_shape sweep_count_shape = SHAPE(sweep_count_rows, sweep);

static const struct field sweep_prefix_rows[] = {
	ROW("prefix", TEXT, sweep_prefix, prefix, .required = true),
	ROW("state", WORD, sweep_prefix, state, .words = &sweep_state_words, .required = true),
	ROW("from", TEXT, sweep_prefix, from),
	ROW("icmp_type", INT, sweep_prefix, icmp_type),
	ROW("icmp_code", INT, sweep_prefix, icmp_code),
};
static const struct field_shape sweep_prefix_shape = SHAPE(sweep_prefix_rows, sweep_prefix);

static const struct field audit_block_rows[] = {
	ROW("first", TEXT, audit_block, first),
	ROW("last", TEXT, audit_block, last),
	ROW("prefixes", TEXTS, audit_block, prefixes),
	ROW("state", WORD, audit_block, state, .words = &audit_state_words, .required = true),
	ROW("refused", BOOL, audit_block, refused),
	ROW("hop", INT, audit_block, hop),
	ROW("last_heard", TEXT, audit_block, last_heard),
	ROW("first_silent", TEXT, audit_block, first_silent),
	ROW("evidence", OBSERVATIONS, audit_block, evidence),
};
static const struct field_shape audit_block_shape = SHAPE(audit_block_rows, audit_block);

static const struct field audit_rows[] = {
	ROW("probes", COUNT, sweep_audit, probes),
	ROW("ttl", INT, sweep_audit, ttl),
	ROW("beyond", TEXT, sweep_audit, beyond),
	ROW("step", INT64, sweep_audit, step),
	ROW("cut", BOOL, sweep_audit, cut),
	ROW("rationed", BOOL, sweep_audit, rationed),
	ROW("blocks", LIST, sweep_audit, blocks, .shape = &audit_block_shape,
	    GROWING(sweep_audit, block_count, block_capacity)),
};
static const struct field_shape audit_shape = SHAPE(audit_rows, sweep_audit);

static const struct field sweep_rows[] = {
	ROW("target", TARGET, sweep, target, .required = true),
	ROW("addresses", INT64, sweep, addresses),
	GROUP("counts", sweep_count_shape),
	ROW("connects", INT64, sweep, connects),
	ROW("loss", SHARE, sweep, loss),
	ROW("tries", COUNT, sweep, tries),
	ROW("rtt_ms", US, sweep, rtt_us),
	ROW("timeout_ms", US, sweep, timeout_us),
	ROW("rate", INT64, sweep, rate),
	ROW("rate_seen", INT64, sweep, rate_seen),
	ROW("stopped", TEXT, sweep, stopped),
	ROW("prefixes", LIST, sweep, prefixes, .shape = &sweep_prefix_shape,
	    GROWING(sweep, prefix_count, prefix_capacity)),
	ROW("audit", POINTER, sweep, audit, .shape = &audit_shape),
};
static const struct field_shape sweep_shape = SHAPE(sweep_rows, sweep);

static const struct field readiness_rows[] = {
	ROW("ready", BOOL, report, readiness.ready),
	ROW("basis", TEXT, report, readiness.basis),
	ROW("blocking", TEXTS, report, readiness.blocking),
	ROW("inconclusive", TEXTS, report, readiness.inconclusive),
};
static const struct field_shape readiness_shape = SHAPE(readiness_rows, report);

static const struct field report_rows[] = {
	GROUP("tool", tool_shape),
	GROUP("run", run_shape),
	GROUP("host", host_shape),
	ROW("identities", ARRAY, report, identities, .shape = &identity_shape,
	    .count_offset = offsetof(struct report, identity_count), .max = 2),
	ROW("targets", POINTERS, report, targets, .shape = &target_shape,
	    GROWING(report, target_count, target_capacity)),
	ROW("paths", POINTERS, report, paths, .shape = &path_shape, GROWING(report, path_count, path_capacity)),
	ROW("observations", POINTERS, report, observations.items, .shape = &any_observation_shape,
	    GROWING(report, observations.count, observations.capacity)),
	ROW("findings", POINTERS, report, findings, .shape = &finding_shape,
	    GROWING(report, finding_count, finding_capacity)),
	ROW("checks", LIST, report, checks, .shape = &check_shape, GROWING(report, check_count, check_capacity),
	    .optional = true),
	GROUP("readiness", readiness_shape),
	ROW("coverage", POINTER, report, coverage, .shape = &coverage_shape, .optional = true),
	ROW("sweeps", LIST, report, sweeps, .shape = &sweep_shape, GROWING(report, sweep_count, sweep_capacity),
	    .optional = true),
};
const struct field_shape report_shape = SHAPE(report_rows, report);
