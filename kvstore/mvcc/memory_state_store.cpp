#include "mvcc/memory_state_store.hpp"

namespace coracle::mvcc {
namespace {

using Families = std::array<std::map<std::string, std::string, std::less<>>, kFamilies>;

std::size_t slot(Family family) { return static_cast<std::size_t>(family); }

std::optional<std::string> get_from(const Families& families, Family family, std::string_view key) {
  const auto& map = families[slot(family)];
  const auto it = map.find(key);
  if (it == map.end()) return std::nullopt;
  return it->second;
}

void scan_in(const Families& families, Family family, std::string_view begin, std::string_view end,
             const ScanVisitor& visit) {
  const auto& map = families[slot(family)];
  for (auto it = map.lower_bound(begin); it != map.end(); ++it) {
    if (!end.empty() && it->first >= end) return;
    if (!visit(it->first, it->second)) return;
  }
}

class FrozenFamilies final : public StateReader {
 public:
  explicit FrozenFamilies(Families families) : families_(std::move(families)) {}
  std::optional<std::string> get(Family family, std::string_view key) const override {
    return get_from(families_, family, key);
  }
  void scan(Family family, std::string_view begin, std::string_view end,
            const ScanVisitor& visit) const override {
    scan_in(families_, family, begin, end, visit);
  }

 private:
  const Families families_;
};

}  // namespace

std::optional<std::string> MemoryStateStore::get(Family family, std::string_view key) const {
  return get_from(now_, family, key);
}

void MemoryStateStore::scan(Family family, std::string_view begin, std::string_view end,
                            const ScanVisitor& visit) const {
  scan_in(now_, family, begin, end, visit);
}

void MemoryStateStore::write(const WriteBatch& batch) {
  for (const auto& op : batch.ops()) {
    auto& map = now_[slot(op.family)];
    switch (op.kind) {
      case WriteBatch::Op::Kind::kPut:
        map.insert_or_assign(op.key, op.value);
        break;
      case WriteBatch::Op::Kind::kErase:
        map.erase(op.key);
        break;
      case WriteBatch::Op::Kind::kEraseRange: {
        const auto last = op.value.empty() ? map.end() : map.lower_bound(op.value);
        if (op.value.empty() || op.key < op.value) map.erase(map.lower_bound(op.key), last);
        break;
      }
    }
  }
}

WriteBatch MemoryStateStore::write_undoable(const WriteBatch& batch) {
  using Kind = WriteBatch::Op::Kind;
  WriteBatch undoing;
  for (const auto& op : batch.ops()) {
    auto& map = now_[slot(op.family)];
    if (op.kind == Kind::kPut) {
      // Records are put in the order of their revisions: mostly behind all others.
      const std::size_t before = map.size();
      const auto at = map.try_emplace(map.end(), op.key, op.value);
      if (map.size() > before) {
        undoing.erase(op.family, op.key);
      } else {
        undoing.put(op.family, op.key, std::exchange(at->second, op.value));
      }
    } else if (op.kind == Kind::kErase) {
      auto gone = map.extract(op.key);
      if (gone) undoing.put(op.family, std::move(gone.key()), std::move(gone.mapped()));
    } else {
      const auto last = op.value.empty() ? map.end() : map.lower_bound(op.value);
      auto at = op.value.empty() || op.key < op.value ? map.lower_bound(op.key) : last;
      while (at != last) {
        auto gone = map.extract(at++);
        undoing.put(op.family, std::move(gone.key()), std::move(gone.mapped()));
      }
    }
  }
  undoing.reverse();
  return undoing;
}

std::unique_ptr<StateSnapshot> MemoryStateStore::snapshot() const {
  return std::make_unique<FrozenFamilies>(now_);
}

}  // namespace coracle::mvcc
