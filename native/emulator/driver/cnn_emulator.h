/* What the emulated driver offers beside the CUDA driver API, for tests. Plain C; find the functions with dlsym in the
   library that was loaded, so that nothing is linked against the emulator. All of them are thread safe. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The call-th driver call from now on (1: the next one), of any thread, fails with `code` and does nothing. 0 clears.
   Every exported function counts but cuDriverGetVersion, cuGetErrorName, cuGetErrorString and cuGetProcAddress. */
void cnnEmulatorFailCall(uint64_t call, int code);
/* The same for the call-th call of one function, by its exported name; those that do not count above can fail too. Returns
   how many calls the failure that was asked for before still waits for: 0 when it has happened. */
uint64_t cnnEmulatorFailFunction(const char* function, uint64_t call, int code);
/* Driver calls so far. */
uint64_t cnnEmulatorCallCount(void);

/* Why the newest failed call of this thread failed; what the newest fault of a kernel or copy was. Both copy at most
   `size` bytes with the ending zero and return the length of the whole text without it. */
size_t cnnEmulatorLastMessage(char* text, size_t size);
size_t cnnEmulatorLastReport(char* text, size_t size);

/* What is alive: a test that ends with other numbers than it began with has a leak. */
typedef struct {
  uint64_t contexts, modules, libraries, streams, events, graphs, graphExecs, pools; /* the default pool included */
  uint64_t allocations, allocatedBytes;      /* device memory, pools' included */
  uint64_t hostAllocations, hostBytes;       /* pinned and registered host memory */
  uint64_t pendingOperations;
} cnnEmulatorObjects;
int cnnEmulatorLiveObjects(cnnEmulatorObjects* objects); /* 0, or a CUresult */

/* Counters of one kernel over its launches since the last reset. Threads are counted, not warps, unless said. The ones
   after `divergentBranches` are counted only from the detail on that cnnEmulatorProfileDetail names. */
typedef struct {
  uint64_t launches, blocks, warps, threads;
  uint64_t integer, floating, half, conversion, move, control, globalLoad, globalStore, sharedLoad, sharedStore,
      otherMemory, atomic, warp, barrier, tensor, async, special; /* instructions by class */
  uint64_t warpInstructions, flops, barriers, branches, divergentBranches;
  uint64_t globalLoadRequests, globalLoadSectors, globalLoadBytes;
  uint64_t globalStoreRequests, globalStoreSectors, globalStoreBytes;
  uint64_t globalAtomicRequests, globalAtomicSectors;
  uint64_t sharedLoadRequests, sharedLoadWavefronts, sharedLoadBytes;
  uint64_t sharedStoreRequests, sharedStoreWavefronts, sharedStoreBytes;
  uint64_t sharedIdealWavefronts, maxSharedConflict;
  uint64_t widestGlobalAccess, widestSharedAccess; /* bytes per thread */
  /* Distinct 32-byte sectors of each block, summed over the blocks: what loads must fetch from L2 when L1 keeps what the
     block has fetched, and what stores write. Bulk copies pass L1 by and count as often as they ask. */
  uint64_t globalLoadBlockSectors, globalStoreBlockSectors;
} cnnEmulatorCounters;
/* 0, or CUDA_ERROR_NOT_FOUND (500) when no kernel of this name has run. */
int cnnEmulatorProfileRead(const char* kernel, cnnEmulatorCounters* counters);
/* The sum over all kernels, and the largest of `maxSharedConflict` and of the widths. 0, or a CUresult. */
int cnnEmulatorProfileTotal(cnnEmulatorCounters* counters);
/* What the launches from now on count of memory accesses. 0: nothing. 1: requests, their sectors and wavefronts, bytes.
   2: the distinct sectors of each block too. */
void cnnEmulatorProfileDetail(int detail);
void cnnEmulatorProfileReset(void);
/* The whole profile as JSON; sizes as above. */
size_t cnnEmulatorProfileJson(char* text, size_t size);

#ifdef __cplusplus
}
#endif
