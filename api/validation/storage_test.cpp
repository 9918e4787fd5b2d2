// What of a claim may change.
#include "api/validation/testing.hpp"
#include "api/validation/validation.hpp"

namespace coracle::api::validation {
namespace {

std::string a_claim(const std::string& size, const std::string& more = "",
                    const std::string& status = R"("phase":"Bound","capacity":{"storage":"2Gi"})") {
  return R"({"spec":{"accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":")" + size +
         "\"}}" + more + "},\"status\":{" + status + "}}";
}

// What changed follows, as upstream prints it.
std::string fixed(std::string_view changes) {
  return "spec: Forbidden: spec is immutable after creation except resources.requests and "
         "volumeAttributesClassName for bound claims\n" +
         std::string(changes);
}
const std::string kFixedSize = fixed(R"(@@ -6,7 +6,7 @@
  "Resources": {
   "Limits": null,
   "Requests": {
-   "storage": "2Gi"
+   "storage": "3Gi"
   }
  },
  "VolumeName": "",
)");
const std::string kFixedVolume = fixed(R"(@@ -9,7 +9,7 @@
    "storage": "2Gi"
   }
  },
- "VolumeName": "v",
+ "VolumeName": "w",
  "StorageClassName": null,
  "VolumeMode": null,
  "DataSource": null,
)");
const std::string kFixedClass = fixed(R"(@@ -10,7 +10,7 @@
   }
  },
  "VolumeName": "",
- "StorageClassName": "s",
+ "StorageClassName": "t",
  "VolumeMode": null,
  "DataSource": null,
  "DataSourceRef": null,
)");
const std::string kFixedMode = fixed(R"(@@ -11,7 +11,7 @@
  },
  "VolumeName": "",
  "StorageClassName": null,
- "VolumeMode": null,
+ "VolumeMode": "Block",
  "DataSource": null,
  "DataSourceRef": null,
  "VolumeAttributesClassName": null
)");
const char* kMode = "volumeMode: Invalid value: \"Block\": field is immutable";
const char* kShrunk =
    "spec.resources.requests.storage: Forbidden: field can not be less than status.capacity";

}  // namespace

TEST_CASE("changes of a claim") {
  const std::string pending = R"("phase":"Pending")";
  run({{"a bound one grows", a_claim("3Gi"), {}, a_claim("2Gi")},
       {"a pending one does not",
        a_claim("3Gi", "", pending),
        {kFixedSize},
        a_claim("2Gi", "", pending)},
       {"it shrinks", a_claim("1Gi"), {kShrunk}, a_claim("2Gi")},
       {"back from what it did not get", a_claim("3Gi"), {}, a_claim("4Gi")},
       {"it gets its volume", a_claim("2Gi", R"(,"volumeName":"v")"), {}, a_claim("2Gi")},
       {"another volume",
        a_claim("2Gi", R"(,"volumeName":"w")"),
        {kFixedVolume},
        a_claim("2Gi", R"(,"volumeName":"v")")},
       {"it gets a class", a_claim("2Gi", R"(,"storageClassName":"s")"), {}, a_claim("2Gi")},
       {"another class",
        a_claim("2Gi", R"(,"storageClassName":"t")"),
        {kFixedClass},
        a_claim("2Gi", R"(,"storageClassName":"s")")},
       {"another mode",
        a_claim("2Gi", R"(,"volumeMode":"Block")"),
        {kFixedMode, kMode},
        a_claim("2Gi")}},
      persistent_volume_claim, nullptr);
}

}  // namespace coracle::api::validation
