/* SPDX-License-Identifier: MIT */
/*
 * The backend of a case: it sees every load that a cache asks for, in order, counts them by key, and holds each until
 * the case ends it, or answers at once if the case says so.
 */
package compared;

import java.util.ArrayList;
import java.util.List;

final class Loads {
    /** Ends a load at once. */
    interface Answer {
        void end(Call call);
    }

    private final List<Call> calls = new ArrayList<>();
    private Answer answer;

    /** From now on loads are not held. */
    synchronized void answer(Answer at) {
        answer = at;
    }

    /** From now on loads are held again. */
    synchronized void hold() {
        answer = null;
    }

    /** For the loaders: a load begins. */
    Call begin(List<String> keys, String oldValue) {
        Call call = new Call(List.copyOf(keys), oldValue);
        Answer at;
        synchronized (this) {
            calls.add(call);
            at = answer;
            notifyAll();
        }
        if (at != null) {
            at.end(call);
        }
        return call;
    }

    synchronized int count() {
        return calls.size();
    }

    /** How often this key was asked for. */
    synchronized long count(String key) {
        return calls.stream().filter(call -> call.keys.contains(key)).count();
    }

    synchronized Call call(int number) {
        return calls.get(number - 1);
    }

    /** The load of that number (from 1), once it has begun. */
    Call await(int number) {
        Limits.await("load number " + number, () -> count() >= number);
        return call(number);
    }

    /** Ends all that are still held. */
    void giveAll(String value) {
        List<Call> held;
        synchronized (this) {
            held = List.copyOf(calls);
        }
        held.forEach(call -> call.give(value));
    }
}
