/* SPDX-License-Identifier: MIT */
package hits;

import hits.Keys.Key;

/** A cache that is looked up. A process has one, so that its calls are compiled for it alone. */
interface Side {
    void put(Key key, byte[] value);

    /**
     * Looks up the keys of {@code numbers[from]} to {@code numbers[to - 1]}; returns the sum of their values' first
     * bytes. A miss throws.
     */
    long run(Key[] keys, int[] numbers, int from, int to);

    static Side named(String name, int room, long expireMs) {
        return switch (name) {
            case "caffeine" -> new CaffeineSide(room, expireMs);
            case "caffeine-if-present" -> new CaffeineIfPresentSide(room, expireMs);
            case "guava" -> new GuavaSide(room, expireMs);
            default -> throw new IllegalArgumentException("there is no side " + name);
        };
    }
}
