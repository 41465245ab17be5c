/* SPDX-License-Identifier: MIT */
package hits;

import java.io.IOException;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;

/** The keys, values and sequences of library/keys.h: the same bytes, in the form that Java looks up fastest. */
final class Keys {
    static final int VALUE_BYTES = 64;

    /** 16 bytes. No text: a String of 16 characters is an array behind an object, and takes longer to find and compare. */
    record Key(long first, long second) {
        @Override
        public int hashCode() {
            long mixed = (first ^ Long.rotateLeft(second, 32)) * 0x9E3779B97F4A7C15L;
            return (int) (mixed >>> 32);
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof Key key && key.first == first && key.second == second;
        }
    }

    private Keys() {
    }

    private static long mix(long number) {
        number += 0x9e3779b97f4a7c15L;
        number = (number ^ number >>> 30) * 0xbf58476d1ce4e5b9L;
        number = (number ^ number >>> 27) * 0x94d049bb133111ebL;
        return number ^ number >>> 31;
    }

    /** The bytes of eight hexadecimal digits, the last digit of {@code mixed} first. */
    private static long digits(int mixed) {
        long bytes = 0;
        for (int i = 0; i < 8; i++) {
            bytes |= (long) "0123456789abcdef".charAt(mixed >>> 4 * i & 15) << 8 * i;
        }
        return bytes;
    }

    /** A new object each time: what is looked up equals what is stored, but is not the same. */
    static Key of(long number) {
        long mixed = mix(number);
        return new Key(digits((int) mixed), digits((int) (mixed >>> 32)));
    }

    static byte[] value(long number) {
        byte[] value = new byte[VALUE_BYTES];
        java.util.Arrays.fill(value, (byte) (number & 127));
        return value;
    }

    static Key[] all(int count) {
        Key[] keys = new Key[count];
        for (int number = 0; number < count; number++) {
            keys[number] = of(number);
        }
        return keys;
    }

    static int[] sequence(String path) throws IOException {
        try (FileChannel file = FileChannel.open(Path.of(path))) {
            int[] numbers = new int[(int) (file.size() / Integer.BYTES)];
            file.map(FileChannel.MapMode.READ_ONLY, 0, file.size()).order(ByteOrder.LITTLE_ENDIAN).asIntBuffer()
                    .get(numbers);
            return numbers;
        }
    }
}
