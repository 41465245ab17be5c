/* SPDX-License-Identifier: MIT */
/*
 * How long anything may take before it is called a hang. Nothing waits this long unless it hangs: cases go on as soon
 * as what they wait for is there.
 */
package compared;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

final class Limits {
    /** A call that has nothing left to wait for and is not back by then hangs. */
    static final int HANG_S = 3;
    /** What a case waits for and must come. */
    static final int COMES_S = 20;
    /** A load that its case has forgotten ends by then. */
    static final int ABANDONED_S = 40;
    /** A whole case. */
    static final int CASE_S = 60;

    private Limits() {
    }

    /** Waits until it is so; false if it is not within the time. */
    static boolean within(int seconds, BooleanSupplier so) {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
        while (!so.getAsBoolean()) {
            if (System.nanoTime() - end > 0) {
                return false;
            }
            LockSupport.parkNanos(TimeUnit.MICROSECONDS.toNanos(200));
        }
        return true;
    }

    static void await(String what, BooleanSupplier so) {
        if (!within(COMES_S, so)) {
            throw new IllegalStateException("did not come: " + what);
        }
    }
}
