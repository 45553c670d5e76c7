/* notify: tells the service manager how the process is doing (sd_notify protocol, without libsystemd).
 *
 * notify_init() reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID and removes them from the
 * environment, so that no child speaks for the service. Where they are not set, every call does nothing.
 * Failures are silent: a manager that does not listen is no reason to stop. A send waits at most 100 ms
 * for a manager that is slow. The state is one per process, as the environment is; one thread.
 *
 * Protocol: sd_notify(3), sd_watchdog_enabled(3) of systemd 252: datagrams of NAME=value lines to a
 * unix socket, a path or (with a leading @) an abstract name.
 */
#ifndef SERVICE_NOTIFY_H
#define SERVICE_NOTIFY_H

#include <stdint.h>

/* A second call begins anew. */
void notify_init(void);

void notify_ready(void);
/* One line for people (systemctl status); line breaks become spaces, long texts are cut. No secrets. */
void notify_status(const char *text);
/* Settings are being read again; followed by notify_ready(). */
void notify_reloading(void);
void notify_stopping(void);

/* How often to call notify_alive(), in ms: half of the manager's limit, as sd_watchdog_enabled(3)
 * advises. 0: nobody watches. */
int64_t notify_watchdog(void);
void notify_alive(void);

#endif
