#include "plugin_abi/shared_object.hpp"

#include <dlfcn.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "plugin_abi/host.hpp"

namespace coracle::scheduler {
namespace {

using Handle = std::shared_ptr<void>;

// Room for a plugin's words.
struct Reason {
  std::array<char, 256> text{};
  coracle_reason room() { return {text.data(), text.size()}; }
  std::string said(const char* fallback) const {
    const std::string words(text.data(), strnlen(text.data(), text.size()));
    return words.empty() ? fallback : words;
  }
};

Verdict verdict_of(coracle_verdict said, const Reason& reason) {
  switch (said) {
    case CORACLE_YES:
      return Verdict::yes();
    case CORACLE_SKIP:
      return Verdict::skip();
    case CORACLE_NOT_NOW:
      return Verdict::not_now(reason.said("the plugin gave no reason"));
    case CORACLE_NEVER:
      return Verdict::never(reason.said("the plugin gave no reason"));
    case CORACLE_BROKEN:
      return Verdict::broken(internal_error(reason.said("the plugin gave no reason")));
  }
  return Verdict::broken(
      internal_error(fmt::format("{} is not a verdict", static_cast<int>(said))));
}

class SharedObjectPlugin final : public Plugin {
 public:
  SharedObjectPlugin(std::string name, Handle handle, const coracle_plugin& code, void* self)
      : name_(std::move(name)), handle_(std::move(handle)), code_(code), self_(self) {}
  ~SharedObjectPlugin() override {
    if (code_.destroy != nullptr) code_.destroy(self_);
  }
  std::string_view name() const override { return name_; }

  Verdict pre_filter(const PodInfo& pod, const Snapshot& world, StatePtr* state) const override {
    if (code_.begin == nullptr) return Verdict::yes();
    std::vector<const coracle_node*> nodes;
    for (const NodeInfo& node : world.nodes) {
      if (node.known()) nodes.push_back(disguised(node));
    }
    return begin(CORACLE_FILTER, pod, nodes, state);
  }
  Verdict filter(const PodInfo& pod, const NodeInfo& node,
                 const PluginState* state) const override {
    Reason reason;
    const auto said =
        code_.filter(self_, disguised(pod), disguised(node), theirs(state), reason.room());
    return said == CORACLE_SKIP ? Verdict::broken(internal_error("a filter cannot skip"))
                                : verdict_of(said, reason);
  }
  Verdict pre_score(const PodInfo& pod, const Snapshot& world,
                    const std::vector<std::uint32_t>& fitting, StatePtr* state) const override {
    if (code_.begin == nullptr) return Verdict::yes();
    std::vector<const coracle_node*> nodes;
    for (const std::uint32_t index : fitting) nodes.push_back(disguised(world.nodes[index]));
    return begin(CORACLE_SCORE, pod, nodes, state);
  }
  std::int64_t score(const PodInfo& pod, const NodeInfo& node,
                     const PluginState* state) const override {
    return code_.score(self_, disguised(pod), disguised(node), theirs(state));
  }
  void normalize(const PluginState*, std::vector<std::int64_t>& scores) const override {
    if (code_.normalize != nullptr) code_.normalize(self_, scores.data(), scores.size());
    for (std::int64_t& score : scores) {
      score = std::clamp<std::int64_t>(score, 0, kScoreMax);
    }
  }
  // What turns its mind is its own affair.
  Events helped_by() const override { return ~Events{0}; }

 private:
  struct State final : PluginState {
    State(const coracle_plugin& c, void* s, void* t) : code(c), self(s), theirs(t) {}
    ~State() override {
      if (code.end != nullptr) code.end(self, theirs);
    }
    const coracle_plugin& code;
    void *const self, *const theirs;
  };
  static void* theirs(const PluginState* state) {
    return state == nullptr ? nullptr : static_cast<const State*>(state)->theirs;
  }
  Verdict begin(coracle_phase phase, const PodInfo& pod,
                const std::vector<const coracle_node*>& nodes, StatePtr* state) const {
    Reason reason;
    void* theirs = nullptr;
    const auto said = code_.begin(self_, phase, disguised(pod), nodes.data(), nodes.size(), &theirs,
                                  reason.room());
    *state = std::make_unique<State>(code_, self_, theirs);
    return verdict_of(said, reason);
  }

  const std::string name_;
  const Handle handle_;  // holds the code
  const coracle_plugin& code_;
  void* const self_;
};

std::string loader_words() {
  const char* words = dlerror();
  return words == nullptr ? "cannot be loaded" : words;
}

}  // namespace

Result<LoadedPlugin> load_shared_object(const SharedObjectSpec& spec,
                                        const std::string& directory) {
  // With a slash in it, so that the loader does not look elsewhere.
  const std::string path =
      std::filesystem::absolute(std::filesystem::path(directory) / spec.path).string();
  const Handle handle(dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL), [](void* object) {
    if (object != nullptr) dlclose(object);
  });
  if (handle == nullptr) return invalid_argument(loader_words());
  void* const symbol = dlsym(handle.get(), "coracle_plugin_entry");
  if (symbol == nullptr) return invalid_argument(loader_words());
  const coracle_plugin* code = reinterpret_cast<const coracle_plugin* (*)()>(symbol)();
  if (code == nullptr) return invalid_argument("its coracle_plugin_entry gives nothing");
  if (code->abi_version != CORACLE_PLUGIN_ABI_VERSION) {
    return invalid_argument(
        fmt::format("it is built for version {} of coracle_plugin.h, this "
                    "scheduler has {}",
                    code->abi_version, CORACLE_PLUGIN_ABI_VERSION));
  }
  if (code->create == nullptr || (code->filter == nullptr && code->score == nullptr)) {
    return invalid_argument("it has no create, or neither filter nor score");
  }
  const std::string args = json::serialize(spec.args);
  Reason why_not;
  void* const self = code->create(&plugin_host(), {args.data(), args.size()}, why_not.room());
  if (self == nullptr) {
    return invalid_argument("it refuses its args: " + why_not.said("it does not say why"));
  }
  LoadedPlugin loaded;
  loaded.plugin = std::make_shared<SharedObjectPlugin>(spec.name, handle, *code, self);
  const bool begins = code->begin != nullptr;
  if (code->filter != nullptr) {
    loaded.points |= point_bit(Point::kFilter) | (begins ? point_bit(Point::kPreFilter) : 0);
  }
  if (code->score != nullptr) {
    loaded.points |= point_bit(Point::kScore) | (begins ? point_bit(Point::kPreScore) : 0);
  }
  return loaded;
}

}  // namespace coracle::scheduler
