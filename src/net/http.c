#include "net/http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/mem.h"
#include "net/curl_api.h"
#include "net/url.h"

enum { BUFFER_BYTES = 64 * 1024 };

enum state { STATE_RUNNING, STATE_WAITING, STATE_DONE };

/* Why our own body callback stopped a transfer. */
enum stop { STOP_NONE, STOP_TOO_BIG, STOP_REFUSED, STOP_ERROR_BODY_FULL };

struct transfer {
    struct http_get *get;
    const struct curl_api *api;
    CURL *easy;
    enum state state;
    enum stop stop;
    int64_t started_ms, progress_ms, wake_ms; /* monotonic */
    size_t received;
    char errors[CURL_ERROR_SIZE];
};

struct set {
    const struct curl_api *api;
    const struct http_options *options;
    CURLM *multi;
    /* The nodes point at the caller's strings: curl_slist_append() would leave a copy of the
     * credentials behind. */
    struct curl_slist headers[HTTP_HEADERS_MAX];
    struct transfer transfers[HTTP_SET_MAX];
    size_t count;
    int stall_ms;
};

static const struct {
    CURLcode code;
    enum http_trouble trouble;
    bool is_transient;
} troubles[] = {
    {CURLE_COULDNT_RESOLVE_HOST, HTTP_RESOLVE, true},
    {CURLE_COULDNT_RESOLVE_PROXY, HTTP_RESOLVE, true},
    {CURLE_COULDNT_CONNECT, HTTP_CONNECT, true},
    {CURLE_OPERATION_TIMEDOUT, HTTP_TIMEOUT, true},
    {CURLE_PARTIAL_FILE, HTTP_CUT, true},
    {CURLE_SEND_ERROR, HTTP_CUT, true},
    {CURLE_RECV_ERROR, HTTP_CUT, true},
    {CURLE_GOT_NOTHING, HTTP_CUT, true},
    {CURLE_HTTP2, HTTP_CUT, true},
    {CURLE_HTTP2_STREAM, HTTP_CUT, true},
    {CURLE_AGAIN, HTTP_CUT, true},
    /* A handshake that broke off may have met a restarting server; a bad certificate stays bad. */
    {CURLE_SSL_CONNECT_ERROR, HTTP_TLS, true},
    {CURLE_PEER_FAILED_VERIFICATION, HTTP_TLS, false},
    {CURLE_SSL_CIPHER, HTTP_TLS, false},
    {CURLE_SSL_ISSUER_ERROR, HTTP_TLS, false},
    {CURLE_SSL_INVALIDCERTSTATUS, HTTP_TLS, false},
    {CURLE_SSL_CERTPROBLEM, HTTP_LOCAL, false},
    {CURLE_SSL_CACERT_BADFILE, HTTP_LOCAL, false},
    {CURLE_OUT_OF_MEMORY, HTTP_LOCAL, false},
    {CURLE_PROXY, HTTP_PROXY_DENIED, false},
    {CURLE_WEIRD_SERVER_REPLY, HTTP_NOT_HTTP, false},
    {CURLE_UNSUPPORTED_PROTOCOL, HTTP_NOT_HTTP, false},
    {CURLE_BAD_CONTENT_ENCODING, HTTP_NOT_HTTP, false},
    {CURLE_WRITE_ERROR, HTTP_NOT_HTTP, false}, /* not ours: a decoder of libcurl's */
};

/* --- what arrives --- */

/* Response headers we keep. */
static const struct {
    const char *name;
    size_t offset;
} kept_headers[] = {
    {"content-type", offsetof(struct http_answer, content_type)},
    {"retry-after", offsetof(struct http_answer, retry_after)},
    {"x-ratelimit-reset", offsetof(struct http_answer, rate_reset)},
    {"ratelimit-reset", offsetof(struct http_answer, rate_reset)},
    {"x-ratelimit-requests-reset", offsetof(struct http_answer, rate_reset)},
    {"x-rate-limit-reset", offsetof(struct http_answer, rate_reset)},
};

static void forget_answer(struct http_answer *answer) {
    free(answer->error_body);
    *answer = (struct http_answer){0};
}

static void keep_value(char value[HTTP_VALUE_MAX], const char *p, size_t n) {
    while (n > 0 && (*p == ' ' || *p == '\t')) {
        p++;
        n--;
    }
    while (n > 0 && strchr(" \t\r\n", p[n - 1]))
        n--;
    if (n >= HTTP_VALUE_MAX || memchr(p, '\0', n))
        n = 0;
    memcpy(value, p, n);
    value[n] = '\0';
}

static size_t on_header(char *line, size_t size, size_t count, void *payload) {
    struct transfer *t = payload;
    size_t n = size * count;
    t->progress_ms = clock_mono_ms();
    /* Each answer begins with a status line; headers of an interim one (1xx) are not for us. */
    if (n >= 5 && memcmp(line, "HTTP/", 5) == 0) {
        forget_answer(&t->get->answer);
        return n;
    }
    const char *colon = memchr(line, ':', n);
    if (!colon)
        return n;
    size_t name_len = (size_t)(colon - line);
    for (size_t i = 0; i < sizeof kept_headers / sizeof kept_headers[0]; i++)
        if (strlen(kept_headers[i].name) == name_len &&
            strncasecmp(line, kept_headers[i].name, name_len) == 0)
            keep_value((char *)&t->get->answer + kept_headers[i].offset, colon + 1,
                       n - name_len - 1);
    return n;
}

static int status_of(const struct transfer *t) {
    long status = 0;
    t->api->easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    return (int)status;
}

static bool is_success(int status) {
    return status >= 200 && status <= 299;
}

static bool keep_error_body(struct transfer *t, const char *bytes, size_t n) {
    struct http_answer *a = &t->get->answer;
    if (!a->error_body)
        a->error_body = mem_zalloc(HTTP_ERROR_BODY_MAX + 1);
    size_t room = HTTP_ERROR_BODY_MAX - a->error_body_len;
    a->is_error_body_cut = n > room;
    size_t take = n > room ? room : n;
    memcpy(a->error_body + a->error_body_len, bytes, take);
    a->error_body_len += take;
    return !a->is_error_body_cut;
}

/* Anything but n stops the transfer with CURLE_WRITE_ERROR. */
static size_t on_body(char *bytes, size_t size, size_t count, void *payload) {
    struct transfer *t = payload;
    struct http_get *get = t->get;
    size_t n = size * count;
    t->progress_ms = clock_mono_ms();
    if (n == 0)
        return 0;
    if (!is_success(status_of(t))) {
        if (!keep_error_body(t, bytes, n))
            t->stop = STOP_ERROR_BODY_FULL;
    } else if (n > get->body_max - t->received) {
        t->stop = STOP_TOO_BIG;
    } else {
        t->received += n;
        if (!get->sink.body(get->sink.payload, bytes, n, &get->err))
            t->stop = STOP_REFUSED;
    }
    return t->stop == STOP_NONE ? n : 0;
}

/* --- setting up --- */

static bool set_long(struct transfer *t, CURLoption option, long value) {
    return t->api->easy_setopt(t->easy, option, value) == CURLE_OK;
}

static bool set_text(struct transfer *t, CURLoption option, const char *value) {
    return t->api->easy_setopt(t->easy, option, value) == CURLE_OK;
}

static bool set_safety(struct transfer *t) {
    static const struct {
        CURLoption option;
        long value;
    } options[] = {
        {CURLOPT_NOSIGNAL, 1},
        {CURLOPT_FOLLOWLOCATION, 0},
        {CURLOPT_NETRC, CURL_NETRC_IGNORED},
        {CURLOPT_SSL_VERIFYPEER, 1},
        {CURLOPT_SSL_VERIFYHOST, 2},
        {CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2},
        {CURLOPT_HEADEROPT, CURLHEADER_SEPARATE},
        {CURLOPT_SUPPRESS_CONNECT_HEADERS, 1},
        {CURLOPT_PATH_AS_IS, 1},
        {CURLOPT_PIPEWAIT, 1},
        {CURLOPT_BUFFERSIZE, BUFFER_BYTES},
    };
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
        if (!set_long(t, options[i].option, options[i].value))
            return false;
#if LIBCURL_VERSION_NUM >= 0x075700
    /* Do not wait for a name server's answer when stopping. Unknown to older libraries: no harm. */
    set_long(t, CURLOPT_QUICK_EXIT, 1);
#endif
    return true;
}

static bool set_limits(struct transfer *t, const struct http_options *o) {
    long total_ms = (long)o->timeout_s * 1000;
    return set_long(t, CURLOPT_TIMEOUT_MS, total_ms) &&
           set_long(t, CURLOPT_CONNECTTIMEOUT_MS,
                    total_ms < HTTP_CONNECT_MS ? total_ms : HTTP_CONNECT_MS);
}

/* Go programs and the curl tool honour these; libcurl by itself does not. */
static bool set_trust(struct transfer *t) {
    static const struct {
        const char *variable;
        CURLoption option, proxy_option;
    } sources[] = {
        {"SSL_CERT_FILE", CURLOPT_CAINFO, CURLOPT_PROXY_CAINFO},
        {"SSL_CERT_DIR", CURLOPT_CAPATH, CURLOPT_PROXY_CAPATH},
    };
    for (size_t i = 0; i < sizeof sources / sizeof sources[0]; i++) {
        const char *value = getenv(sources[i].variable);
        if (value && *value &&
            !(set_text(t, sources[i].option, value) && set_text(t, sources[i].proxy_option, value)))
            return false;
    }
    return true;
}

static bool set_target(struct transfer *t, const struct url *url, const struct http_options *o) {
    /* A proxy would get a plain request with its credentials; and it cannot reach our loopback. */
    if (url->is_loopback && !set_text(t, CURLOPT_PROXY, ""))
        return false;
    if (t->api->has_gzip && !set_text(t, CURLOPT_ACCEPT_ENCODING, "gzip"))
        return false;
    return set_text(t, CURLOPT_URL, t->get->url) && set_text(t, CURLOPT_USERAGENT, o->user_agent) &&
           set_long(t, CURLOPT_HTTP_VERSION,
                    url->is_tls ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1);
}

static bool set_callbacks(struct transfer *t, struct set *s) {
    const struct curl_api *api = t->api;
    return api->easy_setopt(t->easy, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK &&
           api->easy_setopt(t->easy, CURLOPT_WRITEDATA, t) == CURLE_OK &&
           api->easy_setopt(t->easy, CURLOPT_HEADERFUNCTION, on_header) == CURLE_OK &&
           api->easy_setopt(t->easy, CURLOPT_HEADERDATA, t) == CURLE_OK &&
           api->easy_setopt(t->easy, CURLOPT_ERRORBUFFER, t->errors) == CURLE_OK &&
           api->easy_setopt(t->easy, CURLOPT_PRIVATE, t) == CURLE_OK &&
           (s->options->header_count == 0 ||
            api->easy_setopt(t->easy, CURLOPT_HTTPHEADER, s->headers) == CURLE_OK);
}

static void link_headers(struct set *s) {
    for (size_t i = 0; i < s->options->header_count; i++) {
        const void *text = s->options->headers[i];
        s->headers[i].data = (char *)(uintptr_t)text; /* libcurl only reads it */
        s->headers[i].next = i + 1 < s->options->header_count ? &s->headers[i + 1] : NULL;
    }
}

static bool prepare(struct set *s, struct http_get *get, struct err *err) {
    struct url url;
    if (!url_parse(get->url, &url, err))
        return false;
    struct transfer *t = &s->transfers[s->count++];
    *t = (struct transfer){.get = get, .api = s->api, .easy = s->api->easy_init()};
    if (!t->easy)
        return err_set(err, ERR_RESOURCE_EXHAUSTED, "libcurl gives no handle");
    if (!set_safety(t) || !set_limits(t, s->options) || !set_trust(t) ||
        !set_target(t, &url, s->options) || !set_callbacks(t, s))
        return err_set(err, ERR_INTERNAL, "this libcurl refuses an option of a safe request");
    return true;
}

/* --- one try --- */

static bool start(struct set *s, struct transfer *t, struct err *err) {
    struct http_get *get = t->get;
    t->state = STATE_RUNNING;
    t->stop = STOP_NONE;
    t->received = 0;
    t->errors[0] = '\0';
    get->detail[0] = '\0';
    t->started_ms = t->progress_ms = clock_mono_ms();
    forget_answer(&get->answer);
    err_clear(&get->err);
    get->trouble = HTTP_NO_TROUBLE;
    get->tries++;
    /* On a connection of its own: should an old one die at once, libcurl would try again by itself,
     * and the server would see more tries than we count. */
    if (get->tries > 1 && !set_long(t, CURLOPT_FRESH_CONNECT, 1))
        return err_set(err, ERR_INTERNAL, "this libcurl refuses a fresh connection");
    get->sink.begin(get->sink.payload);
    CURLMcode code = s->api->multi_add_handle(s->multi, t->easy);
    if (code != CURLM_OK)
        return err_set(err, ERR_INTERNAL, "start a request: %s", s->api->multi_strerror(code));
    return true;
}

static void keep_detail(struct http_get *get, const char *text) {
    size_t n = 0;
    for (; *text && n + 1 < sizeof get->detail; text++)
        if (*text >= 0x20 && *text < 0x7F)
            get->detail[n++] = *text;
    get->detail[n] = '\0';
}

/* Up to the end of the TLS handshake it is the connection that took too long, not the answer. */
static bool was_connected(const struct transfer *t) {
    curl_off_t us = 0;
    t->api->easy_getinfo(t->easy, CURLINFO_PRETRANSFER_TIME_T, &us);
    return us > 0;
}

/* Sets trouble and detail from libcurl's code; returns whether another try may help. */
static bool explain(struct transfer *t, CURLcode code) {
    struct http_get *get = t->get;
    bool is_transient = false;
    get->trouble = HTTP_LOCAL;
    for (size_t i = 0; i < sizeof troubles / sizeof troubles[0]; i++)
        if (troubles[i].code == code) {
            get->trouble = troubles[i].trouble;
            is_transient = troubles[i].is_transient;
        }
    if (get->trouble == HTTP_TIMEOUT && !was_connected(t))
        get->trouble = HTTP_CONNECT;
    keep_detail(get, t->errors[0] ? t->errors : t->api->easy_strerror(code));
    long tunnel_status = 0;
    t->api->easy_getinfo(t->easy, CURLINFO_HTTP_CONNECTCODE, &tunnel_status);
    if (tunnel_status >= 300) {
        get->trouble = HTTP_PROXY_DENIED;
        is_transient = tunnel_status >= 500;
    }
    return is_transient;
}

static void keep_status(struct transfer *t) {
    struct http_answer *a = &t->get->answer;
    a->status = status_of(t);
    char *target = NULL;
    if (a->status >= 300 && a->status <= 399)
        t->api->easy_getinfo(t->easy, CURLINFO_REDIRECT_URL, &target);
    if (target)
        url_show_host(target, a->redirect_host, sizeof a->redirect_host);
}

/* Says what a finished transfer amounts to. Returns whether another try may help although there is
 * no status to tell it by. */
static bool conclude(struct transfer *t, CURLcode code) {
    struct http_get *get = t->get;
    bool is_transient = false;
    keep_status(t);
    if (t->stop == STOP_TOO_BIG) {
        get->trouble = HTTP_TOO_BIG;
    } else if (t->stop == STOP_REFUSED) {
        get->trouble = HTTP_REFUSED;
    } else if (code != CURLE_OK && t->stop != STOP_ERROR_BODY_FULL) {
        is_transient = explain(t, code);
    } else if (is_success(get->answer.status)) {
        get->is_ok = get->sink.end(get->sink.payload, &get->err);
        get->trouble = get->is_ok ? HTTP_NO_TROUBLE : HTTP_REFUSED;
    }
    return is_transient;
}

static struct retry_verdict ask_policy(const struct set *s, const struct http_get *get,
                                       bool is_transient) {
    struct retry_event event = {
        .try_number = get->tries,
        .status = get->trouble == HTTP_NO_TROUBLE ? get->answer.status : 0,
        .is_transient = is_transient,
        .retry_after = get->answer.retry_after,
        .rate_reset = get->answer.rate_reset,
        .now_unix = clock_now_ns() / CLOCK_NS_PER_S,
    };
    if (get->trouble != HTTP_NO_TROUBLE)
        event.retry_after = event.rate_reset = NULL;
    /* No random bytes: then no spread. */
    if (getrandom(&event.random, sizeof event.random, GRND_NONBLOCK) < 0)
        event.random = 0;
    return retry_decide(&s->options->retry, &event);
}

static void finish_try(struct set *s, struct transfer *t, bool is_transient) {
    struct http_get *get = t->get;
    struct log *log = s->options->log;
    s->api->multi_remove_handle(s->multi, t->easy);
    log_debug(log, "http request finished", LOG_STR("path", get->what),
              LOG_INT("status", get->answer.status), LOG_INT("try", get->tries),
              LOG_INT("bytes", t->received), LOG_MS("took", clock_mono_ms() - t->started_ms),
              LOG_STR("trouble", get->trouble == HTTP_NO_TROUBLE ? "" : get->detail));
    if (s->options->on_answer)
        s->options->on_answer(get->answer.status, get->tries, s->options->on_answer_payload);
    t->state = STATE_DONE;
    if (get->is_ok)
        return;
    struct retry_verdict verdict = ask_policy(s, get, is_transient);
    get->retry_at_unix = verdict.retry_at_unix;
    if (!verdict.is_again)
        return;
    /* The one line above debug from this layer: a person in front of a silent program for half a minute
     * would take it for dead. */
    log_warn(log, "retrying operation", LOG_STR("path", get->what),
             LOG_INT("status", get->answer.status),
             LOG_STR("trouble", get->trouble == HTTP_NO_TROUBLE ? "" : get->detail),
             LOG_MS("wait", verdict.wait_ms));
    t->state = STATE_WAITING;
    t->wake_ms = clock_mono_ms() + verdict.wait_ms;
}

/* --- the loop --- */

static void reap(struct set *s) {
    int left;
    CURLMsg *msg;
    while ((msg = s->api->multi_info_read(s->multi, &left))) {
        if (msg->msg != CURLMSG_DONE)
            continue;
        CURLcode code = msg->data.result; /* msg dies with the handle's removal */
        char *private = NULL;
        s->api->easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &private);
        struct transfer *t = (struct transfer *)(void *)private;
        finish_try(s, t, conclude(t, code));
    }
}

/* Gives up stalled transfers and starts those whose wait is over. */
static bool attend(struct set *s, struct err *err) {
    int64_t now = clock_mono_ms();
    for (size_t i = 0; i < s->count; i++) {
        struct transfer *t = &s->transfers[i];
        if (t->state == STATE_RUNNING && now - t->progress_ms >= s->stall_ms) {
            t->get->trouble = HTTP_STALL;
            keep_detail(t->get, "no byte came for too long");
            keep_status(t);
            finish_try(s, t, true);
        } else if (t->state == STATE_WAITING && now >= t->wake_ms && !start(s, t, err)) {
            return false;
        }
    }
    return true;
}

static int next_event_ms(const struct set *s) {
    int64_t now = clock_mono_ms(), next = now + 1000;
    for (size_t i = 0; i < s->count; i++) {
        const struct transfer *t = &s->transfers[i];
        int64_t at = t->state == STATE_RUNNING   ? t->progress_ms + s->stall_ms
                     : t->state == STATE_WAITING ? t->wake_ms
                                                 : next;
        next = at < next ? at : next;
    }
    return next > now ? (int)(next - now) : 0;
}

static bool is_over(const struct set *s) {
    bool is_busy = false;
    for (size_t i = 0; i < s->count; i++) {
        const struct transfer *t = &s->transfers[i];
        if (t->state != STATE_DONE)
            is_busy = true;
        else if (t->get->is_essential && !t->get->is_ok)
            return true;
    }
    return !is_busy;
}

static bool step(struct set *s, struct err *err) {
    int running;
    CURLMcode code = s->api->multi_perform(s->multi, &running);
    if (code != CURLM_OK)
        return err_set(err, ERR_INTERNAL, "drive the requests: %s", s->api->multi_strerror(code));
    reap(s);
    return attend(s, err);
}

static bool wait_for_more(struct set *s, struct err *err) {
    const struct cancel *cancel = s->options->cancel;
    struct curl_waitfd stop = {.fd = cancel_fd(cancel), .events = CURL_WAIT_POLLIN};
    CURLMcode code =
        s->api->multi_poll(s->multi, &stop, cancel ? 1 : 0, next_event_ms(s), NULL);
    if (code != CURLM_OK)
        return err_set(err, ERR_INTERNAL, "wait for an answer: %s", s->api->multi_strerror(code));
    return cancel_check(cancel, err);
}

static bool run(struct set *s, struct err *err) {
    for (size_t i = 0; i < s->count; i++)
        if (!start(s, &s->transfers[i], err))
            return false;
    for (;;) {
        if (!step(s, err))
            return false;
        if (is_over(s))
            return true;
        if (!wait_for_more(s, err))
            return false;
    }
}

/* The caller sees an outcome in every request, also in those that were dropped half-way. */
static void close_set(struct set *s) {
    for (size_t i = 0; i < s->count; i++) {
        struct transfer *t = &s->transfers[i];
        if (!t->easy)
            continue;
        if (t->state != STATE_DONE) {
            s->api->multi_remove_handle(s->multi, t->easy);
            t->get->trouble = HTTP_ABANDONED;
        }
        s->api->easy_cleanup(t->easy);
    }
    if (s->multi)
        s->api->multi_cleanup(s->multi);
}

static bool open_set(struct set *s, struct http_get *requests, size_t count, struct err *err) {
    s->multi = s->api->multi_init();
    if (!s->multi)
        return err_set(err, ERR_RESOURCE_EXHAUSTED, "libcurl gives no handle");
    link_headers(s);
    for (size_t i = 0; i < count; i++)
        if (!prepare(s, &requests[i], err))
            return false;
    return true;
}

bool http_get_all(const struct http_options *options, struct http_get *requests, size_t count,
                  struct err *err) {
    if (count > HTTP_SET_MAX || options->header_count > HTTP_HEADERS_MAX)
        return err_set(err, ERR_INTERNAL, "too many requests or headers at once");
    if (!cancel_check(options->cancel, err))
        return false;
    struct set s = {.options = options, .api = curl_api_load(err)};
    if (!s.api)
        return false;
    s.stall_ms = options->stall_ms > 0 ? options->stall_ms : HTTP_STALL_MS;
    bool ok = open_set(&s, requests, count, err) && run(&s, err);
    close_set(&s);
    return ok;
}

void http_get_done(struct http_get *get) {
    if (get)
        forget_answer(&get->answer);
}

bool http_prepare(struct err *err) {
    return curl_api_load(err) != NULL;
}
