#include "probe/diagnosis/rules.h"

#define RULE(name) {#name, name, RULE_CAUSE},
#define FALLBACK(name) {#name, name, RULE_FALLBACK},
#define REMARK(name) {#name, name, RULE_REMARK},

/* A table ends with an empty row, so that one without rules is an array too. */
static const struct rule stack_rules[] = {
#include "probe/diagnosis/rules_stack.def"
	{0}};
static const struct rule host_rules[] = {
#include "probe/diagnosis/rules_host.def"
	{0}};
static const struct rule settings_rules[] = {
#include "probe/diagnosis/rules_settings.def"
	{0}};
static const struct rule dns_rules[] = {
#include "probe/diagnosis/rules_dns.def"
	{0}};
static const struct rule tcp_rules[] = {
#include "probe/diagnosis/rules_tcp.def"
	{0}};
static const struct rule proxy_rules[] = {
#include "probe/diagnosis/rules_proxy.def"
	{0}};
static const struct rule tls_rules[] = {
#include "probe/diagnosis/rules_tls.def"
	{0}};
static const struct rule http_rules[] = {
#include "probe/diagnosis/rules_http.def"
	{0}};
static const struct rule limits_rules[] = {
#include "probe/diagnosis/rules_limits.def"
	{0}};

#define TABLE(rules)                                        \
	{                                                   \
		rules, sizeof(rules) / sizeof(rules[0]) - 1 \
	}
static const struct rule_table stack = TABLE(stack_rules), host = TABLE(host_rules), settings = TABLE(settings_rules),
			       dns = TABLE(dns_rules), tcp = TABLE(tcp_rules), proxy = TABLE(proxy_rules),
			       tls = TABLE(tls_rules), http = TABLE(http_rules), limits = TABLE(limits_rules);

const struct rule_table *const *rules_in_order(bool proxied, size_t *count)
{
	static const struct rule_table *const direct_order[] = {&stack, &host, &settings, &dns,	  &tcp,
								&proxy, &tls,  &http,	  &limits};
	static const struct rule_table *const proxied_order[] = {&stack, &host, &settings, &proxy, &dns,
								 &tcp,	 &tls,	&http,	   &limits};
	*count = sizeof(direct_order) / sizeof(direct_order[0]);
	return proxied ? proxied_order : direct_order;
}
