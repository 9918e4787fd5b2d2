// The catalog every lab starts with, in the form of docs/formats/images.md.
#pragma once

#include <string_view>

namespace coracle::kubelet {

std::string_view builtin_images();

}  // namespace coracle::kubelet
