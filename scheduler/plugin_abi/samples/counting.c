/* For the tests: a plugin in C that uses every call. It counts the pods of all nodes (begin),
 * refuses nodes with more than their share by more than one (filter), and likes empty ones (score,
 * normalize). Pods named "skip", "never" and "broken" get those verdicts from begin. */
#include <stdlib.h>
#include <string.h>

#include "coracle_plugin.h"

static const coracle_host* host;
static int states; /* that are alive */

static int is(coracle_text text, const char* word) {
  return text.size == strlen(word) && memcmp(text.data, word, text.size) == 0;
}

static void say(coracle_reason reason, const char* words) {
  strncpy(reason.data, words, reason.size - 1);
}

static void* create(const coracle_host* h, coracle_text args, coracle_reason why_not) {
  if (!is(args, "null")) {
    say(why_not, "it takes none");
    return NULL;
  }
  host = h;
  return &states;
}

static coracle_verdict begin(void* self, coracle_phase phase, const coracle_pod* pod,
                             const coracle_node* const* nodes, size_t count, void** state,
                             coracle_reason reason) {
  size_t i;
  int64_t* average;
  if (phase == CORACLE_FILTER && is(host->pod_name(pod), "skip")) return CORACLE_SKIP;
  if (phase == CORACLE_FILTER && is(host->pod_name(pod), "never")) {
    say(reason, "not this pod");
    return CORACLE_NEVER;
  }
  if (is(host->pod_name(pod), "broken")) {
    say(reason, "no data");
    return CORACLE_BROKEN;
  }
  average = calloc(1, sizeof *average);
  ++*(int*)self;
  for (i = 0; i < count; ++i) *average += (int64_t)host->node_pod_count(nodes[i]);
  *average /= count == 0 ? 1 : (int64_t)count;
  *state = average;
  return CORACLE_YES;
}

static void end(void* self, void* state) {
  if (state != NULL) --*(int*)self;
  free(state);
}

static coracle_verdict filter(void* self, const coracle_pod* pod, const coracle_node* node,
                              void* state, coracle_reason reason) {
  coracle_text key = {"always", 6}, value;
  (void)self, (void)pod;
  if (host->node_label(node, key, &value) && is(value, "yes")) return CORACLE_YES;
  if ((int64_t)host->node_pod_count(node) <= *(int64_t*)state + 1) return CORACLE_YES;
  say(reason, "too many pods");
  return CORACLE_NOT_NOW;
}

static int64_t score(void* self, const coracle_pod* pod, const coracle_node* node, void* state) {
  (void)self, (void)pod, (void)state;
  return (int64_t)host->node_pod_count(node);
}

static void normalize(void* self, int64_t* scores, size_t count) {
  size_t i;
  if (*(int*)self < 1) abort(); /* its state is gone too early */
  for (i = 0; i < count; ++i) scores[i] = 100 - 50 * scores[i];
}

static const coracle_plugin plugin = {ABI_VERSION, create, NULL,  begin,
                                      end,         filter, score, normalize};

const coracle_plugin* coracle_plugin_entry(void) { return &plugin; }
