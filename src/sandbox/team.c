#include "sandbox/team.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct seed {
    const char *first, *last, *mail, *role, *title, *availability;
    bool has_token, has_avatar;
    int64_t active_ms_ago; /* 0: not recently */
};

/* The first three are the people of the project's fixtures. */
static const struct seed seeds[TEAM_SEED_COUNT] = {
    {"Ada", "Fictive", "ada", "owner", "Head of Support", "online", true, true, 60000},
    {"Ben", "Sample", "ben", "member", "Agent", "offline", false, false, 0},
    {"Chloé", "Placeholder", "chloe", "member", NULL, "away", true, false, 86400000},
    {"Dario", "Example", "dario", "owner", "Operations Lead", "offline", true, true, 0},
    {"Esi", "Specimen", "esi", "member", "Customer Care", "online", true, true, 180000},
    {"Farid", "Template", "farid", "member", "Billing", "away", true, false, 5400000},
};

/* A name, and how it is spelt in an address. */
struct name {
    const char *text, *ascii;
};

static const struct name firsts[] = {
    {"Ada", "ada"},       {"Ben", "ben"},       {"Chloé", "chloe"},   {"Dario", "dario"},
    {"Esi", "esi"},       {"Farid", "farid"},   {"Greta", "greta"},   {"Hugo", "hugo"},
    {"Ines", "ines"},     {"Jürgen", "juergen"}, {"Kaito", "kaito"},   {"Łucja", "lucja"},
    {"Mina", "mina"},     {"Noor", "noor"},     {"Oscar", "oscar"},   {"Priya", "priya"},
    {"Quentin", "quentin"}, {"Rosa", "rosa"},   {"Søren", "soren"},   {"Tariq", "tariq"},
    {"Uma", "uma"},       {"Vera", "vera"},     {"Wanda", "wanda"},   {"Xavier", "xavier"},
    {"Yara", "yara"},     {"Zoë", "zoe"},       {"Amina", "amina"},   {"Bo", "bo"},
    {"Carlos", "carlos"}, {"Dina", "dina"},     {"Emil", "emil"},     {"Françoise", "francoise"},
};

static const struct name lasts[] = {
    {"Fictive", "fictive"},     {"Sample", "sample"},     {"Placeholder", "placeholder"},
    {"Example", "example"},     {"Specimen", "specimen"}, {"Template", "template"},
    {"Mockup", "mockup"},       {"Pretend", "pretend"},   {"Invented", "invented"},
    {"Made-Up", "made-up"},     {"Notreal", "notreal"},   {"Imaginary", "imaginary"},
    {"Générique", "generique"}, {"Standin", "standin"},   {"Prototype", "prototype"},
    {"Muster", "muster"},       {"Beispiel", "beispiel"}, {"Esempio", "esempio"},
    {"Ejemplo", "ejemplo"},     {"O'Sample", "osample"},  {"Przykład", "przyklad"},
};

static const char *const titles[] = {
    "Agent", "Customer Care", NULL, "Billing", "Support Engineer", NULL, "Team Lead", "Onboarding",
};

static const char *const availabilities[] = {"online", "offline", "away", "offline"};

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

/* splitmix64: a well-mixed 64-bit value of an index, the same everywhere. */
static uint64_t mix(uint64_t x) {
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

void team_uuid(uint64_t seed, char out[37]) {
    uint64_t a = mix(seed), b = mix(seed ^ UINT64_C(0x5bf0363546cd14e3));
    snprintf(out, 37, "%08" PRIx64 "-%04" PRIx64 "-4%03" PRIx64 "-%04" PRIx64 "-%012" PRIx64,
             a >> 32, a >> 16 & 0xffff, a & 0xfff, (b >> 48 & 0x3fff) | 0x8000,
             b & UINT64_C(0xffffffffffff));
}

static void add_text(struct buf *out, const char *key, const char *value) {
    if (value)
        buf_addf(out, ",\"%s\":\"%s\"", key, value);
    else
        buf_addf(out, ",\"%s\":null", key);
}

void team_seed(size_t index, struct buf *out, struct team_member *ret) {
    const struct seed *s = &seeds[index];
    char avatar[64], mail[64], lower[32] = "";
    for (size_t i = 0; s->last[i] && i + 1 < sizeof lower; i++)
        lower[i] = (char)(s->last[i] | 0x20);
    snprintf(avatar, sizeof avatar, "https://storage.example.com/avatar/%s.png", s->mail);
    snprintf(mail, sizeof mail, "%s.%s@example.com", s->mail, lower);
    snprintf(ret->user_id, sizeof ret->user_id, "0a000000-0000-4000-8000-%012zu", index + 1);
    ret->last_active_ms = s->active_ms_ago ? TEAM_EPOCH_MS - s->active_ms_ago : 0;
    buf_addf(out, "{\"user_id\":\"%s\"", ret->user_id);
    add_text(out, "email", mail);
    add_text(out, "avatar", s->has_avatar ? avatar : NULL);
    add_text(out, "first_name", s->first);
    add_text(out, "last_name", s->last);
    add_text(out, "role", s->role);
    add_text(out, "title", s->title);
    add_text(out, "availability", s->availability);
    buf_addf(out, ",\"has_token\":%s}", s->has_token ? "true" : "false");
}

/* Written with one snprintf(), because 100,000 of them are made at start. No value needs escaping,
 * and the longest names of the tables leave half of the room free. */
void team_generate(size_t index, bool is_owner, struct buf *out, struct team_member *ret) {
    uint64_t r = mix(index + UINT64_C(0x7e0000000000));
    const struct name *first = &firsts[r % COUNT(firsts)];
    const struct name *last = &lasts[(r >> 8) % COUNT(lasts)];
    const char *title = titles[(r >> 16) % COUNT(titles)], *quote = title ? "\"" : "";
    const char *availability = availabilities[(r >> 24) % COUNT(availabilities)];
    bool has_avatar = (r >> 32) % 3 != 0;
    char text[1024];
    team_uuid(index + UINT64_C(0x0a0000000000), ret->user_id);
    ret->last_active_ms = 0;
    if (availability[1] != 'f') /* offline */
        ret->last_active_ms = TEAM_EPOCH_MS - (int64_t)((r >> 40) % 86400000);
    int n = snprintf(text, sizeof text,
                     "{\"user_id\":\"%s\",\"email\":\"%s.%s.%zu@example.com\",\"avatar\":%s%s%s,"
                     "\"first_name\":\"%s\",\"last_name\":\"%s\",\"role\":\"%s\","
                     "\"title\":%s%s%s,\"availability\":\"%s\",\"has_token\":%s}",
                     ret->user_id, first->ascii, last->ascii, index + 1,
                     has_avatar ? "\"https://storage.example.com/avatar/" : "null",
                     has_avatar ? ret->user_id : "", has_avatar ? ".png\"" : "", first->text,
                     last->text, is_owner ? "owner" : "member", quote, title ? title : "null",
                     quote, availability, (r >> 36) % 8 == 0 ? "false" : "true");
    buf_add(out, text, (size_t)n);
}

bool team_is_owner(size_t index) {
    return index % TEAM_OWNER_EVERY == 0;
}

void team_invite(size_t index, struct team_invite *ret) {
    if (index == 0) {
        /* The invitation of the project's fixtures. */
        snprintf(ret->email, sizeof ret->email, "pending.invitee@example.com");
        snprintf(ret->identifier, sizeof ret->identifier, "1c000000-0000-4000-8000-00000000beef");
        for (size_t i = 0; i < 8; i++)
            memcpy(ret->key + 8 * i, "feedface", 9);
        return;
    }
    snprintf(ret->email, sizeof ret->email, "pending.invitee.%zu@example.com", index + 1);
    team_uuid(index + UINT64_C(0x1c0000000000), ret->identifier);
    for (size_t i = 0; i < 4; i++)
        snprintf(ret->key + 16 * i, 17, "%016" PRIx64, mix(index * 4 + i));
}
