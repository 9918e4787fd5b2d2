// The chain of admission plugins, for the parts of the registry.
#pragma once

#include "apiserver/admission/admission.hpp"
