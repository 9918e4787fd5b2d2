// The conformance suite of the StateStore port (needs Catch2; include it in a *_test.cpp only).
// `make` returns an empty store each time. Ends run it as:
//   TEST_CASE("RocksDB state store") { check_state_store([] { return fresh(); }); }
#pragma once

#include <functional>
#include <memory>

#include "mvcc/state_store.hpp"

namespace coracle::mvcc {

inline void check_state_store(const std::function<std::unique_ptr<StateStore>()>& make);

}  // namespace coracle::mvcc

#include "mvcc/state_store_conformance_inl.hpp"
