/* coracle_plugin.h: a scheduler plugin in a shared object. C, so that a plugin built with any
 * compiler and any C++ library works; nothing else of Coracle is needed to build one.
 *
 *   cc -shared -fPIC -o best_fit.so best_fit.c        (c++ for C++: export with extern "C")
 *
 * The scheduler loads the file, calls coracle_plugin_entry() once, and refuses another
 * abi_version. All calls come from one thread. What a call is given lives until it returns; texts
 * are not ended by a zero byte. No exception may leave a call. Answers must depend on nothing but
 * what was asked: then a run can be repeated.
 *
 * Amounts: "cpu" in thousandths of a core, "memory" and "ephemeral-storage" in bytes, others in
 * pieces. Functions a plugin does not need are NULL. */
#ifndef CORACLE_PLUGIN_H
#define CORACLE_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CORACLE_PLUGIN_ABI_VERSION 1

typedef struct coracle_text {
  const char* data;
  size_t size;
} coracle_text;

typedef struct coracle_pod coracle_pod;
typedef struct coracle_node coracle_node;

/* What a plugin may ask. Members are only ever added at the end: ask `size` before you use one
 * that is newer than the version you require. */
typedef struct coracle_host {
  size_t size;
  coracle_text (*pod_namespace)(const coracle_pod*);
  coracle_text (*pod_name)(const coracle_pod*);
  int64_t (*pod_priority)(const coracle_pod*);
  int64_t (*pod_request)(const coracle_pod*, coracle_text resource);
  /* 1: there is such a label, and *value is it. 0: there is none. */
  int (*pod_label)(const coracle_pod*, coracle_text key, coracle_text* value);

  coracle_text (*node_name)(const coracle_node*);
  int (*node_label)(const coracle_node*, coracle_text key, coracle_text* value);
  int64_t (*node_allocatable)(const coracle_node*, coracle_text resource);
  int64_t (*node_requested)(const coracle_node*, coracle_text resource); /* by its pods */
  size_t (*node_pod_count)(const coracle_node*);
  const coracle_pod* (*node_pod)(const coracle_node*, size_t index);
} coracle_host;

typedef enum coracle_verdict {
  CORACLE_YES = 0,
  CORACLE_NOT_NOW = 1, /* may fit when pods leave: preemption looks there */
  CORACLE_NEVER = 2,   /* not while node and pod are as they are */
  CORACLE_SKIP = 3,    /* of begin: no say about this pod */
  CORACLE_BROKEN = 4   /* the plugin failed, and so does the decision */
} coracle_verdict;

typedef enum coracle_phase { CORACLE_FILTER = 0, CORACLE_SCORE = 1 } coracle_phase;

/* Where a reason is written, up to `size` bytes with the zero at the end. */
typedef struct coracle_reason {
  char* data;
  size_t size;
} coracle_reason;

typedef struct coracle_plugin {
  uint32_t abi_version; /* CORACLE_PLUGIN_ABI_VERSION */
  /* The plugin; `args` is the JSON of its args in the configuration ("null": none). NULL: it
   * cannot work with them, and says why. `host` lives as long as the plugin. */
  void* (*create)(const coracle_host* host, coracle_text args, coracle_reason why_not);
  void (*destroy)(void* self);

  /* Once a pod before its filters, with all nodes, and once before its scores, with those that
   * fit. What it puts in *state is handed to filter or score, and to end. NULL: not needed. */
  coracle_verdict (*begin)(void* self, coracle_phase phase, const coracle_pod*,
                           const coracle_node* const* nodes, size_t count, void** state,
                           coracle_reason reason);
  void (*end)(void* self, void* state);

  coracle_verdict (*filter)(void* self, const coracle_pod*, const coracle_node*, void* state,
                            coracle_reason reason);
  /* 0 to 100; with normalize, any number that normalize brings there. */
  int64_t (*score)(void* self, const coracle_pod*, const coracle_node*, void* state);
  void (*normalize)(void* self, int64_t* scores, size_t count);
} coracle_plugin;

/* What the shared object exports. */
const coracle_plugin* coracle_plugin_entry(void);

#ifdef __cplusplus
}
#endif

#endif
