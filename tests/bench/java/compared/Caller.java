/* SPDX-License-Identifier: MIT */
/*
 * A thread that makes one call. The case sees whether it stands in the cache, stands in the loader, or is back, and
 * what came of it. A thread counts as standing when it was seen waiting in the same place many times in a row.
 */
package compared;

import java.util.Arrays;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

final class Caller {
    enum Place {
        BACK, IN_LOADER, IN_CACHE
    }

    private static final AtomicInteger NUMBER = new AtomicInteger();
    private static final int SAME_PLACE_TIMES = 10;
    private static final long SAME_PLACE_NS = TimeUnit.MILLISECONDS.toNanos(3);

    final Thread thread;
    private volatile Object value;
    private volatile Throwable failure;
    private volatile boolean back;

    private Caller(Callable<?> body) {
        thread = new Thread(() -> {
            try {
                value = body.call();
            } catch (Throwable thrown) {
                failure = thrown;
            }
            back = true;
        }, "caller-" + NUMBER.incrementAndGet());
        thread.setDaemon(true);
    }

    static Caller start(Callable<?> body) {
        Caller caller = new Caller(body);
        caller.thread.start();
        return caller;
    }

    /** Calls and is back, or stands somewhere: then it goes on by itself later. */
    static Caller settle(Callable<?> body) {
        Caller caller = start(body);
        caller.settle();
        return caller;
    }

    boolean isBack() {
        return back;
    }

    /** Waits until the thread is back or stands, and says where. */
    Place settle() {
        int same = 0;
        StackTraceElement[] last = {};
        while (!back) {
            StackTraceElement[] stack = thread.getStackTrace();
            boolean stands = switch (thread.getState()) {
                case WAITING, TIMED_WAITING, BLOCKED -> true;
                default -> false;
            };
            same = stands && Arrays.equals(stack, last) ? same + 1 : 0;
            if (same >= SAME_PLACE_TIMES) {
                boolean inLoader = Arrays.stream(stack).anyMatch(at -> at.getClassName().equals("compared.Call"));
                return inLoader ? Place.IN_LOADER : Place.IN_CACHE;
            }
            last = stack;
            LockSupport.parkNanos(SAME_PLACE_NS);
        }
        return Place.BACK;
    }

    /** Whether the call comes back, now that nothing is left for it to wait for. */
    boolean returns() {
        return Limits.within(Limits.HANG_S, () -> back);
    }

    Throwable failure() {
        return returns() ? failure : null;
    }

    /** What came of the call, in words: its value, the exceptions it threw, or that it hangs. */
    String result() {
        if (!returns()) {
            return "hangs";
        }
        return failure == null ? String.valueOf(value) : words(failure);
    }

    /** An exception by its name, with its cause's. */
    static String words(Throwable thrown) {
        String name = thrown.getClass().getSimpleName();
        return thrown.getCause() == null ? name : name + " of " + thrown.getCause().getClass().getSimpleName();
    }
}
