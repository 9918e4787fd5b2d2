// What the store says it is. Clients decide by it which features they use, so it names the release
// of etcd whose behaviour this is.
#pragma once

namespace coracle::store {

inline constexpr const char* kServerVersion = "3.6.14";
inline constexpr const char* kStorageVersion = "3.6.0";

}  // namespace coracle::store
