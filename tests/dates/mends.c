/* Two calls of libfaketime 0.9.10 that waits must not go through, preloaded before it.
 *
 * epoll_wait: while it waits, libfaketime shows signal handlers the true time. PostgreSQL asks for the time in the handler
 * of its timers, and with a clock in the future no statement or lock would ever time out.
 *
 * clock_nanosleep: libfaketime counts an absolute instant of the monotonic clock, which stays true here, as if it were
 * shifted; Python's time.sleep would answer EINVAL.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int epoll_wait(int queue, struct epoll_event *events, int most, int milliseconds)
{
    return (int)syscall(SYS_epoll_pwait, queue, events, most, milliseconds, NULL, 8);
}

int clock_nanosleep(clockid_t clock, int flags, const struct timespec *until, struct timespec *left)
{
    return syscall(SYS_clock_nanosleep, clock, flags, until, left) ? errno : 0;
}
