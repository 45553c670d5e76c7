/* grpc-call: makes calls through src/grpc and prints a JSON line for each. Built for the tests only.
 *
 *     grpc-call --host H --port P --path /svc/Method [--message HEX] [--stream N:BYTES]
 *               [--deadline-ms N] [--repeat N] [--parallel N] [--step] [--answer-max N]
 *               [--dial-timeout-ms N] [--ping-after-ms N] [--authorization VALUE]
 *
 * --stream sends N messages of BYTES bytes each. --repeat makes rounds, one after the other on one
 * channel, of --parallel calls at a time; with --step each round waits for a line on stdin, whose
 * text, if any, is the path of its calls. Exit 0 when all calls were made, whatever came of them; 1
 * if a descriptor was left open. */
#include <dirent.h>
#include <event2/event.h>
#include <getopt.h>
#include <openssl/evp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/jsonw.h"
#include "base/mem.h"
#include "grpc/channel.h"
#include "net/trust.h"

enum { LINE_MAX_BYTES = 64 * 1024 * 1024, SHOWN_MAX = 256 };

struct wish {
    struct grpc_channel_options channel;
    struct grpc_call_options call;
    struct buf message;
    long stream_count;
    size_t stream_size;
    int repeat, parallel;
    bool is_stepping;
};

struct tool {
    struct wish *wish;
    struct grpc_channel *channel;
    struct event *input;
    char path[512];
    int rounds_left, running;
};

/* One call, and the digest of what it has sent. */
struct task {
    struct tool *tool;
    long sent;
    EVP_MD_CTX *digest;
    int64_t began_ms;
};

static int parse_number(const char *text) {
    return (int)strtol(text, NULL, 10);
}

static void parse_hex(const char *text, struct buf *message) {
    for (char byte[3] = ""; text[0] && text[1]; text += 2) {
        memcpy(byte, text, 2);
        buf_addc(message, (char)strtoul(byte, NULL, 16));
    }
}

static void parse_stream(char *text, struct wish *w) {
    char *end;
    w->stream_count = strtol(text, &end, 10);
    w->stream_size = *end == ':' ? strtoul(end + 1, NULL, 10) : 0;
}

static bool parse(int argc, char **argv, struct wish *w) {
    static const struct option options[] = {
        {"host", required_argument, NULL, 'h'},        {"port", required_argument, NULL, 'p'},
        {"path", required_argument, NULL, 'P'},        {"message", required_argument, NULL, 'm'},
        {"stream", required_argument, NULL, 's'},      {"deadline-ms", required_argument, NULL, 'd'},
        {"repeat", required_argument, NULL, 'r'},      {"parallel", required_argument, NULL, 'n'},
        {"step", no_argument, NULL, 'S'},              {"answer-max", required_argument, NULL, 'x'},
        {"dial-timeout-ms", required_argument, NULL, 't'},
        {"ping-after-ms", required_argument, NULL, 'i'},
        {"authorization", required_argument, NULL, 'a'}, {0},
    };
    for (int letter; (letter = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (letter) {
        case 'h':
            w->channel.host = optarg;
            break;
        case 'p':
            w->channel.port = parse_number(optarg);
            break;
        case 'P':
            w->call.path = optarg;
            break;
        case 'm':
            parse_hex(optarg, &w->message);
            break;
        case 's':
            parse_stream(optarg, w);
            break;
        case 'd':
            w->call.deadline_ms = parse_number(optarg);
            break;
        case 'r':
            w->repeat = parse_number(optarg);
            break;
        case 'n':
            w->parallel = parse_number(optarg);
            break;
        case 'S':
            w->is_stepping = true;
            break;
        case 'x':
            w->call.answer_max = strtoul(optarg, NULL, 10);
            break;
        case 't':
            w->channel.dial_timeout_ms = parse_number(optarg);
            break;
        case 'i':
            w->channel.ping_after_ms = parse_number(optarg);
            break;
        case 'a':
            w->call.authorization = optarg;
            break;
        default:
            return false;
        }
    }
    return w->channel.host && w->channel.port && w->call.path;
}

static enum grpc_next next_message(void *payload, struct buf *message, struct err *err) {
    struct task *task = payload;
    const struct wish *w = task->tool->wish;
    uint8_t *to = buf_extend(message, w->stream_size);
    if (!to) {
        err_set(err, ERR_INVALID_ARGUMENT, "--stream: the messages are too large");
        return GRPC_NEXT_FAILED;
    }
    for (size_t i = 0; i < w->stream_size; i++)
        to[i] = (uint8_t)(i * 31 + (size_t)task->sent);
    EVP_DigestUpdate(task->digest, to, w->stream_size);
    return ++task->sent >= w->stream_count ? GRPC_NEXT_LAST : GRPC_NEXT_MESSAGE;
}

static void put_hex(struct jsonw *w, const char *key, const uint8_t *data, size_t n) {
    char text[2 * SHOWN_MAX + 1] = "";
    for (size_t i = 0; i < n && i < SHOWN_MAX; i++)
        snprintf(text + 2 * i, 3, "%02x", data[i]);
    jsonw_kv(w, key, text);
}

static void print_outcome(const struct task *task, const struct grpc_outcome *outcome) {
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned digest_len = 0;
    EVP_DigestFinal_ex(task->digest, digest, &digest_len);
    struct buf line;
    struct jsonw w;
    buf_init(&line, LINE_MAX_BYTES);
    jsonw_init(&w, &line, false);
    jsonw_object(&w);
    jsonw_kv_int(&w, "code", outcome->err.code);
    jsonw_kv(&w, "name", err_code_name(outcome->err.code));
    jsonw_kv(&w, "message", outcome->err.msg);
    jsonw_kv_bool(&w, "is_from_server", outcome->is_from_server);
    put_hex(&w, "answer", outcome->answer, outcome->answer_len);
    jsonw_kv_int(&w, "answer_len", (int64_t)outcome->answer_len);
    jsonw_kv_int(&w, "messages_sent", task->sent);
    put_hex(&w, "sha256", digest, digest_len);
    jsonw_kv_int(&w, "took_ms", clock_mono_ms() - task->began_ms);
    jsonw_object_end(&w);
    puts(line.data);
    fflush(stdout);
    buf_done(&line);
}

static void begin_round(struct tool *tool);

static void on_done(const struct grpc_outcome *outcome, void *payload) {
    struct task *task = payload;
    struct tool *tool = task->tool;
    print_outcome(task, outcome);
    EVP_MD_CTX_free(task->digest);
    free(task);
    if (--tool->running == 0)
        begin_round(tool);
}

static void begin_calls(struct tool *tool) {
    tool->rounds_left--;
    for (int i = 0; i < tool->wish->parallel; i++) {
        struct task *task = mem_zalloc(sizeof *task);
        task->tool = tool;
        task->began_ms = clock_mono_ms();
        task->digest = EVP_MD_CTX_new();
        EVP_DigestInit_ex(task->digest, EVP_sha256(), NULL);
        struct grpc_call_options call = tool->wish->call;
        call.path = tool->path;
        call.done = on_done;
        call.payload = task;
        call.message = (const uint8_t *)tool->wish->message.data;
        call.message_len = tool->wish->message.len;
        call.next = tool->wish->stream_count ? next_message : NULL;
        tool->running++;
        grpc_call_start(tool->channel, &call);
    }
}

static void on_input(evutil_socket_t fd, short what, void *payload) {
    struct tool *tool = payload;
    (void)what;
    size_t used = 0;
    char c, line[sizeof tool->path];
    ssize_t n;
    while ((n = read((int)fd, &c, 1)) == 1 && c != '\n')
        if (used + 1 < sizeof line)
            line[used++] = c;
    line[used] = '\0';
    event_del(tool->input);
    if (used)
        memcpy(tool->path, line, used + 1);
    if (n == 1)
        begin_calls(tool);
}

static void begin_round(struct tool *tool) {
    if (tool->rounds_left == 0)
        return;
    if (tool->wish->is_stepping)
        event_add(tool->input, NULL);
    else
        begin_calls(tool);
}

/* Nothing is left to do, but for timers that wait for an idle connection. */
static void run_loop(struct event_base *base, const struct tool *tool) {
    while (tool->running > 0 || event_pending(tool->input, EV_READ, NULL))
        event_base_loop(base, EVLOOP_ONCE);
}

static void run(struct wish *wish) {
    struct event_base *base = event_base_new();
    struct trust *trust = trust_new();
    struct tool tool = {.wish = wish, .rounds_left = wish->repeat};
    snprintf(tool.path, sizeof tool.path, "%s", wish->call.path);
    wish->channel.base = base;
    wish->channel.trust = trust;
    wish->channel.user_agent = "grpc-call/" BATON_CRISP_VERSION;
    tool.channel = grpc_channel_new(&wish->channel);
    tool.input = event_new(base, STDIN_FILENO, EV_READ | EV_PERSIST, on_input, &tool);
    begin_round(&tool);
    run_loop(base, &tool);
    grpc_channel_free(tool.channel);
    event_free(tool.input);
    trust_free(trust);
    event_base_free(base);
}

static int count_fds(void) {
    int count = 0;
    DIR *d = opendir("/proc/self/fd");
    while (d && readdir(d))
        count++;
    if (d)
        closedir(d);
    return count;
}

int main(int argc, char **argv) {
    struct wish wish = {.repeat = 1, .parallel = 1};
    buf_init(&wish.message, LINE_MAX_BYTES);
    if (!parse(argc, argv, &wish)) {
        fprintf(stderr, "grpc-call: --host, --port and --path are needed\n");
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    int before = count_fds();
    run(&wish);
    buf_done(&wish.message);
    int after = count_fds();
    if (after != before)
        fprintf(stderr, "grpc-call: %d descriptors before, %d after\n", before, after);
    return after != before;
}
