/* yaml_file: the config file `.baton.yaml`, a flat YAML mapping of setting names to values.
 *
 * Only the first document counts. A value is a scalar, kept as it is written (`0123` stays `0123`),
 * or a list of scalars; null counts as absent. Anchors, aliases and tags other than !!str change
 * nothing or are refused, so a small file cannot become a large one. The struct owns its texts and
 * wipes them when it is done, because they may be secrets.
 *
 * Ceilings: 1 MiB, 1,000 keys, 10,000 items in all, nesting of 16.
 */
#ifndef BATON_YAML_FILE_H
#define BATON_YAML_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"
#include "baton/strlist.h"

enum {
    YAML_FILE_MAX_BYTES = 1024 * 1024,
    YAML_FILE_MAX_KEYS = 1000,
    YAML_FILE_MAX_ITEMS = 10000,
    YAML_FILE_MAX_DEPTH = 16,
};

enum yaml_kind {
    YAML_NULL,
    YAML_SCALAR, /* one item */
    YAML_LIST,
    YAML_MAP, /* not read; no setting takes one */
};

struct yaml_entry {
    char *key;
    enum yaml_kind kind;
    struct strlist items;
    int line; /* of the key, from 1 */
};

struct yaml_file {
    struct yaml_entry *entries;
    size_t count;
    mode_t mode; /* of the file; 0 if it was parsed from memory */
};

/* Malformed text, ceilings, a root that is no mapping, a key that stands twice: Unknown. */
bool yaml_file_parse(const char *bytes, size_t len, struct yaml_file *ret_file, struct err *err);
/* The same with a file. NotFound if there is none. */
bool yaml_file_read(const char *path, struct yaml_file *ret_file, struct err *err);
void yaml_file_done(struct yaml_file *f);
#define yaml_file_auto __attribute__((cleanup(yaml_file_done)))

#endif
