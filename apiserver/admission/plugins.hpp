// The functions of the plugins, for the table in plugins.cpp.
#pragma once

#include "apiserver/admission/plugin.hpp"

namespace coracle::apiserver {

using Fill = Task<Outcome<Done>>(Admitted& a, json::value& object);
using Change = Task<Outcome<Done>>(Admitted& a, json::value* object, const json::value* old);
using Ask = Task<Outcome<Done>>(Admitted& a, const json::value* object, const json::value* old);
using Check = Outcome<Done>(Admitted& a, const json::value* object, const json::value* old);

Fill fill_namespace_lifecycle;
Check check_namespace_lifecycle;
Fill fill_service_account;
Fill fill_default_tolerations;
Change keep_default_tolerations;
Fill fill_priority;
Change keep_priority;
Fill fill_limit_ranger;
Check check_limit_ranger;
Fill fill_runtime_class;
Fill fill_default_storage_class;
Fill fill_default_ingress_class;
Fill fill_taint_nodes;
Fill fill_storage_in_use;
Check check_claim_resize;
Check check_pod_security;
Check check_resource_quota;
Check check_validating_policies;
Change change_by_webhooks;
Check check_webhook_configuration;
Ask ask_webhooks;
// Off unless --enable-admission-plugins names them.
Change change_always_pull;
Check check_always_pull;
Ask ask_image_policy;
Fill fill_node_selector;
Check check_node_selector;
Check check_external_addresses;

}  // namespace coracle::apiserver
