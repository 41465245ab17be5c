/* SPDX-License-Identifier: MIT */
/*
 * The executor that the caches are given: threads as needed, and it can be seen when all that it was given is done.
 * Caffeine's default, the common pool, has about as many threads as there are processors: a case could want for one.
 */
package compared;

import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;

final class Pool implements Executor {
    private final AtomicInteger unfinished = new AtomicInteger();
    private final ExecutorService threads = Executors.newCachedThreadPool(body -> {
        Thread thread = new Thread(body, "pool");
        thread.setDaemon(true);
        return thread;
    });

    @Override
    public void execute(Runnable task) {
        unfinished.incrementAndGet();
        threads.execute(() -> {
            try {
                task.run();
            } finally {
                unfinished.decrementAndGet();
            }
        });
    }

    void rest() {
        Limits.within(Limits.HANG_S, () -> unfinished.get() == 0);
    }
}
