#ifndef MARSPROBE_CORE_TEXT_H
#define MARSPROBE_CORE_TEXT_H

/** The first place of part in text, where 'A' and 'a' are the same, whatever the locale; NULL if there is none. */
const char *text_find_nocase(const char *text, const char *part);

/**
 * Cut the next word off a line, in place.
 *
 * Words    are separated by any number of the characters in separators.
 * Output   *rest is what comes behind it; start with the line. NULL is allowed.
 * Returns  the word, never empty; NULL when there is no more.
 */
char *text_next_word(char **rest, const char *separators);

#endif
