#ifndef MARSPROBE_DIAGNOSIS_PROXY_CONTRASTS_H
#define MARSPROBE_DIAGNOSIS_PROXY_CONTRASTS_H

#include "probe/diagnosis/proxy_fault.h"
#include "probe/diagnosis/view.h"

/* What the experiments at the proxy of a path brought (probe/plan/proxy_contrasts.h). They are made once per proxy, for one of the requests
 * that failed there; so each is found by its proxy, and counts for the paths that failed alike. */

/** The last reply of the path's proxy in that experiment; NULL: not made, or it did not get so far. */
const struct observation *proxy_contrast_reply(const struct view *view, const char *experiment);

/** The proxy's own TLS in the experiment "proxy_tls". NULL: not tried, or no connection. */
const struct observation *proxy_contrast_tls(const struct view *view);

/** What came of a plain proxy's port when it was spoken to in TLS. */
enum inside_tls {
	INSIDE_TLS_UNKNOWN,
	INSIDE_TLS_NOTHING, /* it speaks no TLS */
	INSIDE_TLS_SPEAKS,  /* it does: nobody knows what is inside, as its certificate was not accepted or it closed */
	INSIDE_TLS_PROXY,   /* it answers CONNECT there */
	INSIDE_TLS_OTHER    /* a web server */
};
enum inside_tls proxy_contrast_inside_tls(const struct view *view);

/** Did the proxy let the path's request out: a tunnel that stood, or an answer that is right? */
bool view_was_let_out(const struct view *view);
/** Did it let any name of this run out? */
bool proxy_lets_names_out(const struct view *view);

/** What the proxy did with the address of a name that failed as this path's did (experiment "proxy_address"). */
enum by_address { BY_ADDRESS_UNKNOWN, BY_ADDRESS_PASSES, BY_ADDRESS_FAILS };
enum by_address proxy_contrast_by_address(const struct view *view);

/** Did the proxy let another port of a host through that it denied at this path's port (experiment "proxy_other_port")? */
enum other_port { OTHER_PORT_UNKNOWN, OTHER_PORT_PASSES, OTHER_PORT_DENIED };
enum other_port proxy_contrast_other_port(const struct view *view);

/** Did any look-up of this run give that address for the name? */
bool name_has_address(const struct report *report, const char *name, const char *address);

/** Does any judged attempt of the path have that fault? */
bool view_has_fault(const struct view *view, enum fault fault);

#endif
