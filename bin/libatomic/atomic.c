// SPDX-License-Identifier: Apache-2.0
/*
 * The one function of libatomic that the pinned Node asks for, for hosts whose system has no libatomic: a bare Debian has none.
 * Objects that fit a register are exchanged by the processor itself, as Node's inlined loads and stores of them expect; others under a lock.
 * build.sh makes libatomic.so.1 of it for each processor.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BY_PROCESSOR(T)                                                                            \
  do {                                                                                             \
    T old, wanted;                                                                                 \
    __builtin_memcpy(&old, expected, sizeof(T));                                                   \
    __builtin_memcpy(&wanted, desired, sizeof(T));                                                 \
    if (__atomic_compare_exchange_n((T *)object, &old, wanted, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) \
      return true;                                                                                 \
    __builtin_memcpy(expected, &old, sizeof(T));                                                   \
    return false;                                                                                  \
  } while (0)

static bool taken;

bool __atomic_compare_exchange(size_t size, void *object, void *expected, void *desired, int success, int failure) {
  (void)success;
  (void)failure;
  if (((uintptr_t)object & (size - 1)) == 0) switch (size) {
      case 1: BY_PROCESSOR(uint8_t);
      case 2: BY_PROCESSOR(uint16_t);
      case 4: BY_PROCESSOR(uint32_t);
      case 8: BY_PROCESSOR(uint64_t);
    }
  while (__atomic_test_and_set(&taken, __ATOMIC_ACQUIRE)) {
  }
  uint8_t *at = object, *old = expected;
  const uint8_t *wanted = desired;
  bool same = true;
  for (size_t i = 0; i < size; i++) same &= at[i] == old[i];
  for (size_t i = 0; i < size; i++) {
    if (same) at[i] = wanted[i];
    else old[i] = at[i];
  }
  __atomic_clear(&taken, __ATOMIC_RELEASE);
  return same;
}
