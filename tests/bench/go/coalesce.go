// SPDX-License-Identifier: MIT

// Misses that many wait for, with golang.org/x/sync/singleflight: one side of tests/bench/coalesce, with the arguments
// and lines of library/coalesce.c.
//
//	go-do       so many goroutines, each in Do
//	go-do-os    the same, each goroutine with a thread of the system's of its own, as a C program's threads are
//	go-dochan   so many DoChan by one goroutine, which then receives from each channel
package main

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"
)

// Goroutines that have arrived may still stand before the group's mutex, which nobody outside can see: they are given
// this long to park, which is taken off the time on the wall. One that comes too late all the same loads by itself: it
// is counted.
const settle = 2 * time.Millisecond

type value [64]byte

type herd struct {
	group   singleflight.Group
	waiters int
	misses  int
	missed  int
	keys    []string
	gates   []chan struct{} // one for each miss of the round: closed when its load is to end
	arrived int64
	all     chan struct{}
	loads   int64
	settled time.Duration
}

func (h *herd) load(miss int) func() (interface{}, error) {
	return func() (interface{}, error) {
		atomic.AddInt64(&h.loads, 1)
		<-h.gates[miss]
		made := new(value)
		made[0] = byte(miss & 127)
		return made, nil
	}
}

func (h *herd) check(miss int, got interface{}, err error) {
	if err != nil || got.(*value)[0] != byte(miss&127) {
		fmt.Fprintln(os.Stderr, "a wrong value")
		os.Exit(1)
	}
}

func (h *herd) wait() {
	for miss := 0; miss < h.misses; miss++ {
		if atomic.AddInt64(&h.arrived, 1) == int64(h.waiters) {
			atomic.StoreInt64(&h.arrived, 0)
			h.all <- struct{}{}
		}
		got, err, _ := h.group.Do(h.keys[miss], h.load(miss))
		h.check(miss, got, err)
	}
}

// waitAgain is a goroutine of the herd: each lives for all rounds, as a thread would.
func (h *herd) waitAgain(start <-chan struct{}, over *sync.WaitGroup, locked bool) {
	if locked {
		runtime.LockOSThread()
	}
	for range start {
		h.wait()
		over.Done()
	}
}

func (h *herd) playDo(starts []chan struct{}, over *sync.WaitGroup) {
	over.Add(h.waiters)
	for _, start := range starts {
		start <- struct{}{}
	}
	for miss := 0; miss < h.misses; miss++ {
		<-h.all
		began := time.Now()
		time.Sleep(settle)
		h.settled += time.Since(began)
		close(h.gates[miss])
	}
	over.Wait()
}

func (h *herd) playDoChan() {
	results := make([]<-chan singleflight.Result, h.waiters)
	for miss := 0; miss < h.misses; miss++ {
		load := h.load(miss)
		for i := range results {
			results[i] = h.group.DoChan(h.keys[miss], load)
		}
		close(h.gates[miss])
		for _, result := range results {
			got := <-result
			h.check(miss, got.Val, got.Err)
		}
	}
}

func (h *herd) prepare(misses int) {
	h.misses = misses
	h.loads = 0
	h.settled = 0
	h.keys = h.keys[:0]
	h.gates = h.gates[:0]
	for miss := 0; miss < misses; miss++ {
		h.keys = append(h.keys, fmt.Sprintf("%016d", h.missed+miss))
		h.gates = append(h.gates, make(chan struct{}))
	}
	h.missed += misses
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: coalesce go-do|go-do-os|go-dochan WAITERS")
		os.Exit(2)
	}
	side := os.Args[1]
	waiters, err := strconv.Atoi(os.Args[2])
	if err != nil || waiters < 1 || side != "go-do" && side != "go-do-os" && side != "go-dochan" {
		fmt.Fprintln(os.Stderr, "there is no such side or number")
		os.Exit(2)
	}
	h := &herd{waiters: waiters, all: make(chan struct{})}
	var over sync.WaitGroup
	starts := []chan struct{}{}
	for i := 0; side != "go-dochan" && i < waiters; i++ {
		starts = append(starts, make(chan struct{}))
		go h.waitAgain(starts[i], &over, side == "go-do-os")
	}
	fmt.Println("ready")
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		misses, err := strconv.Atoi(lines.Text())
		if err != nil || misses < 1 {
			fmt.Fprintln(os.Stderr, "a round is a number of misses")
			os.Exit(2)
		}
		h.prepare(misses)
		began := time.Now()
		if side == "go-dochan" {
			h.playDoChan()
		} else {
			h.playDo(starts, &over)
		}
		fmt.Printf("misses=%d waiters=%d wall_ns=%d loads=%d\n", misses, waiters,
			(time.Since(began) - h.settled).Nanoseconds(), h.loads)
	}
}
