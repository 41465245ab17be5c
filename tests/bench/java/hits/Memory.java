/* SPDX-License-Identifier: MIT */
package hits;

import java.lang.management.ManagementFactory;
import java.lang.ref.Reference;

/**
 * What a cache of Java's takes of the heap: a part of tests/bench/memory. Arguments SIDE and ENTRIES; prints
 * "used_bytes=N", what the heap in use grew by, garbage collected before and after. Keys and values are in it as objects.
 */
public final class Memory {
    private Memory() {
    }

    /** The heap that is in use once the collector has nothing more to give back. */
    private static long usedBytes() {
        long used = Long.MAX_VALUE;
        for (int i = 0; i < 10; i++) {
            System.gc();
            long now = ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
            if (now >= used && i > 2) {
                break;
            }
            used = Math.min(used, now);
        }
        return used;
    }

    public static void main(String[] args) {
        int entries = Integer.parseInt(args[1]);
        Side side = Side.named(args[0], entries + entries / 8, 3600_000);
        long before = usedBytes();
        for (int number = 0; number < entries; number++) {
            side.put(Keys.of(number), Keys.value(number));
        }
        System.out.println("used_bytes=" + (usedBytes() - before));
        Reference.reachabilityFence(side);
    }
}
