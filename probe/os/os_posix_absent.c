/* What only Windows has: each call says so. */

#include <stddef.h>
#include <stdio.h>

#include "probe/os/os_machine.h"
#include "probe/os/os_registry.h"
#include "probe/os/os_stack.h"
#include "probe/os/os_system_run.h"

enum os_registry_answer os_registry_read(const char *key, unsigned depth, os_registry_value_cb value, void *user)
{
	(void)key, (void)depth, (void)value, (void)user;
	return OS_REGISTRY_NO_REGISTRY;
}

enum os_system_right os_system_run_right(void)
{
	return OS_SYSTEM_NO_SUCH_ACCOUNT;
}

struct os_system_run *os_system_run_start(int timeout_ms, char *reason, size_t reason_bytes)
{
	(void)timeout_ms;
	snprintf(reason, reason_bytes, "this system has no LocalSystem account");
	return NULL;
}

struct os_link *os_system_run_link(struct os_system_run *run)
{
	(void)run;
	return NULL;
}

bool os_system_run_end(struct os_system_run *run, char *reason, size_t reason_bytes)
{
	(void)run, (void)reason, (void)reason_bytes;
	return true;
}

bool os_link_send(struct os_link *link, const void *bytes, size_t length)
{
	(void)link, (void)bytes, (void)length;
	return false;
}

char *os_link_receive(struct os_link *link, size_t max, size_t *length)
{
	(void)link, (void)max, (void)length;
	return NULL;
}

bool os_account_is_system(void)
{
	return false;
}

bool os_system_child_is_wanted(int argc, char **argv)
{
	(void)argc, (void)argv;
	return false;
}

int os_system_child_run(int argc, char **argv, void (*work)(struct os_link *link, void *user), void *user)
{
	enum { EXIT_TOOL = 4 };
	(void)argc, (void)argv, (void)work, (void)user;
	return EXIT_TOOL;
}

bool os_trust_anchors(void (*anchor)(enum os_anchor_store store, const unsigned char *der, size_t length, void *user),
		      void *user)
{
	(void)anchor, (void)user;
	return false;
}

bool os_chain_verify(const struct os_der *sent, size_t count, const char *host, struct os_chain *out)
{
	(void)sent, (void)count, (void)host, (void)out;
	return false;
}

bool os_http_get(const struct os_http_request *request, struct os_http_answer *out)
{
	(void)request, (void)out;
	return false;
}

bool os_proxy_view(struct os_proxy_view *out)
{
	(void)out;
	return false;
}

bool os_proxy_for_url(const struct os_proxy_question *question, struct os_proxy_answer *out)
{
	(void)question, (void)out;
	return false;
}

long os_count_files(const char *folder, const char *ending, long max)
{
	(void)folder, (void)ending, (void)max;
	return -1;
}

bool os_volume_of(const char *folder, struct os_volume *out)
{
	(void)folder, (void)out;
	return false;
}

int os_service_runs(const char *name)
{
	(void)name;
	return -1;
}

const char *os_machine_temporary_folder(void)
{
	return NULL;
}
