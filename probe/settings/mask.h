#ifndef MARSPROBE_SETTINGS_MASK_H
#define MARSPROBE_SETTINGS_MASK_H

struct arena;

/**
 * A proxy list, bypass list or URL with every password as ***, for reports.
 *
 * Rule   in "user:password@host" the password may hold any character that the writer forgot to escape, separators
 *        too; rather too much is masked than too little. Ports between separators ("a:80;b:90;u:p@c") are not taken
 *        for passwords.
 */
const char *mask_passwords(struct arena *arena, const char *text);

/** A URL with its password masked and without query and fragment; it need not be well-formed. NULL gives NULL. */
const char *mask_url(struct arena *arena, const char *url);

#endif
