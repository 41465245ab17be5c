/* SPDX-License-Identifier: MIT */
package hits;

import hits.Keys.Key;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CyclicBarrier;

/**
 * Looks up keys that are all there, again and again: one side of tests/bench/library-hits, with the arguments and the
 * lines of library/hits.c.
 */
public final class Hits {
    /** Lookups that are compiled as a whole: a round calls that often enough, and soon, for it to be compiled well. */
    private static final int STRETCH = 16384;

    private final Side side;
    private final Key[] keys;
    private final int[] numbers;
    private final long sum;

    private Hits(Side side, int count, int[] numbers) {
        this.side = side;
        this.numbers = numbers;
        for (int number = 0; number < count; number++) {
            side.put(Keys.of(number), Keys.value(number));
        }
        keys = Keys.all(count);
        long expected = 0;
        for (int number : numbers) {
            expected += number & 127;
        }
        sum = expected;
    }

    private final class Runner extends Thread {
        private final CyclicBarrier start;
        private final int offset;
        private long got;
        private long beganNs;
        private long endedNs;

        Runner(CyclicBarrier start, int offset) {
            this.start = start;
            this.offset = offset;
        }

        private long pass(int from, int to) {
            long passed = 0;
            for (int at = from; at < to; at += STRETCH) {
                passed += side.run(keys, numbers, at, Math.min(to, at + STRETCH));
            }
            return passed;
        }

        @Override
        public void run() {
            try {
                start.await();
            } catch (InterruptedException | java.util.concurrent.BrokenBarrierException e) {
                throw new IllegalStateException(e);
            }
            beganNs = System.nanoTime();
            got = pass(offset, numbers.length) + pass(0, offset);
            endedNs = System.nanoTime();
        }
    }

    private void round(int threads) throws InterruptedException {
        CyclicBarrier start = new CyclicBarrier(threads);
        Runner[] runners = new Runner[threads];
        for (int i = 0; i < threads; i++) {
            runners[i] = new Runner(start, numbers.length / threads * i);
            runners[i].start();
        }
        long began = Long.MAX_VALUE;
        long ended = Long.MIN_VALUE;
        for (Runner runner : runners) {
            runner.join();
            if (runner.got != sum) {
                throw new IllegalStateException("wrong values");
            }
            began = Math.min(began, runner.beganNs);
            ended = Math.max(ended, runner.endedNs);
        }
        System.out.println("operations=" + (long) threads * numbers.length + " wall_ns=" + (ended - began));
    }

    /** SIDE KEYS ROOM EXPIRE_MS SEQUENCE. */
    public static void main(String[] args) throws IOException, InterruptedException {
        Side side = Side.named(args[0], Integer.parseInt(args[2]), Long.parseLong(args[3]));
        Hits hits = new Hits(side, Integer.parseInt(args[1]), Keys.sequence(args[4]));
        System.out.println("ready");
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            hits.round(Integer.parseInt(line));
        }
    }
}
