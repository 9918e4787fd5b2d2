#include "kubelet/scripted_load.hpp"

#include "api/quantity.hpp"

namespace coracle::kubelet {

ScriptedLoad::ScriptedLoad(const json::value& container, const ImageBehaviour& image)
    : image_(&image), cpu_(image.cpu) {
  const auto limit = [&](const char* resource) {
    const std::string_view text =
        get_string(container, std::string("resources.limits.") + resource);
    const auto quantity = api::Quantity::parse(text);
    return text.empty() || !quantity.ok() ? std::nullopt : std::optional(quantity->as_double());
  };
  if (const auto cores = limit("cpu")) cpu_ = cpu_.capped(*cores);
  if (const auto bytes = limit("memory")) out_of_memory_after_ = image.memory.first_above(*bytes);
}

ScriptedLoad::Use ScriptedLoad::at(Duration age) const {
  return {static_cast<std::int64_t>(cpu_.sum_until(age) * 1e9),
          static_cast<std::int64_t>(image_->memory.at(age)),
          static_cast<std::int64_t>(image_->disk.at(age))};
}

}  // namespace coracle::kubelet
