// Small files in the schemas the traces are published in, made for these tests.
#include <catch2/catch.hpp>
#include <sstream>

#include "trace/trace_file.hpp"
#include "trace_import/importer.hpp"

using namespace coracle;
using namespace coracle::sim;

namespace {

Result<Imported> imported(std::string_view kind, const std::vector<std::string>& texts) {
  std::vector<SourceFile> files;
  for (size_t i = 0; i < texts.size(); ++i) {
    files.push_back({"f" + std::to_string(i + 1), std::make_unique<std::istringstream>(texts[i])});
  }
  return import_trace(kind, std::move(files));
}

// The events, line by line, as a trace file has them.
std::string lines(const Result<Imported>& result) {
  REQUIRE(result.status() == Status());
  std::string text;
  for (const TraceEvent& event : result->trace.events) text += event_line(event) + "\n";
  return text;
}

std::string error(std::string_view kind, const std::vector<std::string>& texts) {
  const Result<Imported> result = imported(kind, texts);
  return result.ok() ? "" : result.status().message();
}

std::int64_t checked(const Imported& result, std::string_view what) {
  for (const ImportCheck& check : result.checks) {
    if (check.what == what) return check.made;
  }
  return -1;
}

const std::string kOpenbNodes =
    "sn,cpu_milli,memory_mib,gpu,model\nn-0,64000,262144,2,P100\nn-1,96000,1000,0,\n";
const std::string kOpenbPodHeader =
    "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,pod_phase,creation_time,"
    "deletion_time,scheduled_time\n";

std::string openb_error(const std::string& pod) {
  return error("openb", {kOpenbNodes, kOpenbPodHeader + pod + "\n"});
}

}  // namespace

TEST_CASE("OpenB: nodes and pods with parts of GPUs, models, lifetimes") {
  const auto result = imported(
      "openb", {kOpenbNodes, kOpenbPodHeader + "p-1,6000,12288,1,460,,LS,Running,27,129,30\n"
                                               "p-0,12000,16384,2,1000,P100|T4,BE,Failed,0,125,\n"
                                               "p-2,500,10,0,0,,,Succeeded,3,9,3\n"});
  CHECK(
      lines(result) ==
      R"({"kind":"node","at":0,"name":"n-0","allocatable":{"cpu":"64","memory":"262144Mi","pods":"1001","lab.coracle.dev/gpu-milli":"2000"},"labels":{"lab.coracle.dev/gpu-model":"P100"}}
{"kind":"node","at":0,"name":"n-1","allocatable":{"cpu":"96","memory":"1000Mi","pods":"1001"}}
{"kind":"pod","at":0,"name":"p-0","requests":{"cpu":"12","memory":"16384Mi","lab.coracle.dev/gpu-milli":"2000"},"labels":{"qos":"BE"},"annotations":{"lab.coracle.dev/gpu-models":"P100,T4"},"fails":true,"until":125}
{"kind":"pod","at":3,"name":"p-2","requests":{"cpu":"500m","memory":"10Mi"},"lifetime":6,"placedAt":3}
{"kind":"pod","at":27,"name":"p-1","requests":{"cpu":"6","memory":"12288Mi","lab.coracle.dev/gpu-milli":"460"},"labels":{"qos":"LS"},"lifetime":99,"placedAt":30}
)");
  CHECK(checked(*result, "pods") == 3);
  CHECK(checked(*result, "pod gpu milli") == 2460);
  CHECK(checked(*result, "pod memory MiB") == 12288 + 16384 + 10);
}

TEST_CASE("OpenB: what is wrong is named with file, line and column") {
  CHECK(error("openb", {"sn,cpu_milli\n", ""}) ==
        "f1:1: there is no column memory_mib, gpu, model; there are sn, cpu_milli");
  CHECK(error("openb", {kOpenbNodes}) == "openb wants the files NODES.csv PODS.csv; there are 1");
  CHECK(error("openc", {kOpenbNodes}) ==
        "there is no importer \"openc\"; there are openb, azure-packing, alibaba2018, google2019, "
        "philly");
  CHECK(openb_error("p,1,1,1,1000,,LS,Running,5") == "f2:2: 9 fields; there are 11 columns");
  CHECK(openb_error("p,x,1,1,1000,,LS,Running,5,6,5") == "f2:2: cpu_milli: \"x\" is no number");
  CHECK(openb_error("p,1,1,1,1000,,LS,Running,-5,6,5") == "f2:2: creation_time: -5 is negative");
  CHECK(openb_error("p,1,1,2,500,,LS,Running,5,6,5") ==
        "f2:2: gpu_milli: 500 of each of 2 GPUs: only one is shared");
  CHECK(openb_error("p,1,1,1,1000,,LS,Running,5,6,4") ==
        "f2:2: scheduled_time: is before creation_time");
  CHECK(openb_error("p,1,1,1,1000,,LS,Running,5,6,8") ==
        "f2:2: deletion_time: is before scheduled_time");
  CHECK(openb_error("p,1,1,1,1000,,LS,Running,5,6,5\np,1,1,1,1000,,LS,Running,5,6,5") ==
        "event 4: name: pod \"default/p\" is there already, and has no \"until\"");
}

TEST_CASE("Azure packing: sizes on the machine most types run on, days, and the time before") {
  const std::string types =
      "id,vmTypeId,machineId,core,memory,hdd,ssd,nic\n"
      "0,7,1,0.5,0.25,,0.1,0\n1,8,1,0.125,0.002,,,\n2,7,2,0.25,0.125,,,\n3,9,2,1,1,,,\n"
      "4,8,3,1,1,,,\n";
  const auto result = imported(
      "azure-packing",
      {types,
       "vmId,tenantId,vmTypeId,priority,starttime,endtime\n"
       "0,11,7,0,-3.5,0.5\n1,11,8,1,0.25,NULL\n2,12,9,1,1,2\n3,12,8,1,-2,-1\n4,12,8,1,1,1.5\n"});
  CHECK(
      lines(result) ==
      R"({"kind":"pod","at":0,"name":"vm-0","requests":{"cpu":"50","memory":"256000Mi","lab.coracle.dev/azure-ssd":"100000"},"labels":{"tenant":"11","vm-type":"7"},"spec":{"priority":1},"until":43200}
{"kind":"pod","at":21600,"name":"vm-1","requests":{"cpu":"12500m","memory":"2048Mi"},"labels":{"tenant":"11","vm-type":"8"},"spec":{"priority":0}}
{"kind":"pod","at":86400,"name":"vm-4","requests":{"cpu":"12500m","memory":"2048Mi"},"labels":{"tenant":"12","vm-type":"8"},"spec":{"priority":0},"until":129600}
)");
  CHECK(checked(*result, "VMs") == 3);
  CHECK(checked(*result, "cpu milli") == 75'000);
  CHECK(result->left_out ==
        std::vector<std::string>{"1 VMs of types that machine 1 does not run",
                                 "1 VMs that ended before the trace began",
                                 "the time before the trace of 1 VMs: they arrive at 0"});
  CHECK(error("azure-packing",
              {types, "vmId,tenantId,vmTypeId,priority,starttime,endtime\n0,1,7,0,2,1\n"}) ==
        "f2:2: endtime: is before starttime");
}

TEST_CASE("Alibaba 2018: machines, tasks with their instances, containers") {
  const std::string machines =
      "m_1,0,3,d1,96,100,USING\nm_1,500,3,d1,96,100,USING\nm_1,900,3,d1,64,100,USING\n";
  const std::string tasks =
      "M1,2,j_1,1,Terminated,100,160,50,0.5\ntask_x,1,j_2,1,Failed,10,15,100,1\n"
      "R2,1,j_3,1,Waiting,0,0,100,1\nR3,1,j_3,1,Terminated,5,6,,\n";
  const std::string containers =
      "c_1,m_1,7,app_3,started,400,800,1.56\nc_1,m_1,50,app_3,started,400,800,1.56\n"
      "c_1,m_1,90,app_3,stopped,400,800,1.56\n";
  const auto result = imported("alibaba2018", {machines, tasks, containers});
  CHECK(
      lines(result) ==
      R"({"kind":"node","at":0,"name":"m_1","allocatable":{"cpu":"96","memory":"102400Mi","pods":"1000"},"labels":{"failure-domain-1":"3","failure-domain-2":"d1"}}
{"kind":"pod","at":7,"name":"container-0","requests":{"cpu":"4","memory":"1597Mi"},"labels":{"app":"app_3"},"annotations":{"alibaba/container":"c_1"},"until":90,"placedOn":"m_1","placedAt":7}
{"kind":"pod","at":10,"name":"task-2-0","requests":{"cpu":"1","memory":"1024Mi"},"annotations":{"alibaba/job":"j_2","alibaba/task":"task_x"},"lifetime":5,"fails":true}
{"kind":"pod","at":100,"name":"task-1-0","requests":{"cpu":"500m","memory":"512Mi"},"annotations":{"alibaba/job":"j_1","alibaba/task":"M1"},"lifetime":60}
{"kind":"pod","at":100,"name":"task-1-1","requests":{"cpu":"500m","memory":"512Mi"},"annotations":{"alibaba/job":"j_1","alibaba/task":"M1"},"lifetime":60}
{"kind":"nodeEvent","at":900,"node":"m_1","event":"resize","allocatable":{"cpu":"64","memory":"102400Mi","pods":"1000"}}
)");
  CHECK(checked(*result, "instances and containers") == 4);
  CHECK(checked(*result, "machine rows") == 3);
  CHECK(checked(*result, "cpu milli") == 6000);
  CHECK(result->left_out.size() == 4);
  CHECK(error("alibaba2018", {machines, "M1,2,j_1,1,Terminated,100,60,50,0.5\n", ""}) ==
        "f2:1: end_time: is before start_time");
}

TEST_CASE("Google 2019: machines and instances, as JSON Lines with numbers as strings, or as CSV") {
  const std::string machines =
      R"({"time":"0","machine_id":"5","type":"1","capacity":{"cpus":0.5,"memory":0.25}}
{"time":"900000000","machine_id":"5","type":"2"}
{"time":"950000000","machine_id":"6","type":"2"}
)";
  const std::string instances =
      R"({"time":"1000000","type":"0","collection_id":"77","collection_type":"0","priority":"103","instance_index":"0","machine_id":null,"resource_request":{"cpus":0.02,"memory":0.001}}
{"time":"2500000","type":"3","collection_id":"77","collection_type":"0","priority":"103","instance_index":"0","machine_id":"5","resource_request":{"cpus":0.02,"memory":0.001}}
{"time":"3500000","type":"10","collection_id":"77","collection_type":"0","priority":"103","instance_index":"0","machine_id":"5","resource_request":{"cpus":0.03,"memory":0.001}}
{"time":"62500000","type":"6","collection_id":"77","collection_type":"0","priority":"103","instance_index":"0","machine_id":"5"}
{"time":"4000000","type":"0","collection_id":"78","collection_type":"1","priority":"103","instance_index":"0"}
{"time":"5000000","type":"0","collection_id":"79","collection_type":"0","priority":"0","instance_index":"3","resource_request":{"cpus":0.01,"memory":0.002}}
{"time":"9000000","type":"7","collection_id":"79","collection_type":"0","priority":"0","instance_index":"3"}
{"time":"9000000","type":"0","collection_id":"79","collection_type":"0","priority":"0","instance_index":"3","resource_request":{"cpus":0.01,"memory":0.002}}
)";
  const auto result = imported("google2019", {machines, instances,
                                              R"({"collection_id":"77","user":"u="})"
                                              "\n"});
  CHECK(
      lines(result) ==
      R"({"kind":"node","at":0,"name":"machine-5","allocatable":{"cpu":"50","memory":"256000Mi","pods":"1000"}}
{"kind":"pod","at":1,"name":"77-0","requests":{"cpu":"2","memory":"1024Mi"},"labels":{"collection":"77"},"annotations":{"google/user":"u="},"spec":{"priority":103},"lifetime":60,"placedOn":"machine-5","placedAt":2.5}
{"kind":"pod","at":5,"name":"79-3","requests":{"cpu":"1","memory":"2048Mi"},"labels":{"collection":"79"},"spec":{"priority":0},"until":9}
{"kind":"pod","at":9,"name":"79-3-1","requests":{"cpu":"1","memory":"2048Mi"},"labels":{"collection":"79"},"spec":{"priority":0}}
{"kind":"nodeEvent","at":900,"node":"machine-5","event":"remove"}
)");
  CHECK(checked(*result, "instances") == 3);
  CHECK(checked(*result, "machine events") == 2);
  CHECK(result->left_out == std::vector<std::string>{"1 removals of machines that were not there",
                                                     "1 changes of what a pod requests",
                                                     "1 events of alloc sets"});

  const std::string csv_machines =
      "time,machine_id,type,capacity.cpus,capacity.memory\n0,5,1,0.5,0.25\n";
  const std::string csv_header =
      "time,type,collection_id,collection_type,priority,instance_index,machine_id,"
      "resource_request.cpus,resource_request.memory\n";
  const auto csv =
      imported("google2019", {csv_machines, csv_header + "1000000,0,77,0,1,0,,0.02,0.001\n"});
  CHECK(checked(*csv, "cpu milli") == 2000);
  CHECK(error("google2019", {csv_machines, csv_header + "-1,0,77,0,1,0,,0.02,0.001\n"}) ==
        "f2:2: time: -1 is negative");
  CHECK(error("google2019", {csv_machines, csv_header + "1,11,77,0,1,0,,0.02,0.001\n"}) ==
        "f2:2: type: 11 is not in 0..10");
  CHECK(error("google2019", {csv_machines, "time,type\n"}).find("f2:1: there is no column") == 0);
}

TEST_CASE("Philly: jobs become pods on their servers, for as long as their attempts ran") {
  const std::string machines = "machineId,number of GPUs,single GPU mem\nm1,8, 24GB\nm2,2, 12GB\n";
  const std::string jobs = R"([
    {"status":"Pass","vc":"v","jobid":"application_15_2","user":"u","submitted_time":"2017-10-07 01:11:39",
     "attempts":[
       {"start_time":"2017-10-07 01:12:09","end_time":"2017-10-07 01:13:09",
        "detail":[{"ip":"m1","gpus":["gpu0","gpu1"]},{"ip":"m2","gpus":["gpu0"]}]},
       {"start_time":"2017-10-07 02:00:00","end_time":"2017-10-07 02:00:30",
        "detail":[{"ip":"m2","gpus":["gpu0"]}]}]},
    {"status":"Killed","vc":"v","jobid":"application_15_1","user":"u","submitted_time":"2017-10-07 01:11:29","attempts":[]},
    {"status":"Failed","vc":"v","jobid":"application_15_3","user":"w","submitted_time":"2017-10-07 01:11:49",
     "attempts":[{"start_time":"2017-10-07 01:11:49","end_time":null,"detail":[{"ip":"m1","gpus":["gpu7"]}]}]}])";
  const auto result = imported("philly", {machines, jobs});
  CHECK(
      lines(result) ==
      R"({"kind":"node","at":0,"name":"m1","allocatable":{"lab.coracle.dev/gpu-milli":"8000","pods":"1000"},"labels":{"lab.coracle.dev/gpu-model":"24GB"}}
{"kind":"node","at":0,"name":"m2","allocatable":{"lab.coracle.dev/gpu-milli":"2000","pods":"1000"},"labels":{"lab.coracle.dev/gpu-model":"12GB"}}
{"kind":"pod","at":0,"name":"application-15-2-0","requests":{"lab.coracle.dev/gpu-milli":"2000"},"labels":{"vc":"v","user":"u","job":"application_15_2"},"lifetime":90,"placedOn":"m1","placedAt":30}
{"kind":"pod","at":0,"name":"application-15-2-1","requests":{"lab.coracle.dev/gpu-milli":"1000"},"labels":{"vc":"v","user":"u","job":"application_15_2"},"lifetime":90,"placedOn":"m2","placedAt":30}
{"kind":"pod","at":10,"name":"application-15-3-0","requests":{"lab.coracle.dev/gpu-milli":"1000"},"labels":{"vc":"v","user":"w","job":"application_15_3"},"fails":true,"placedOn":"m1","placedAt":10}
)");
  CHECK(checked(*result, "jobs") == 2);
  CHECK(checked(*result, "GPUs of jobs") == 4);
  CHECK(result->left_out ==
        std::vector<std::string>{"1 jobs that never ran: how many GPUs they wanted is not told",
                                 "1 attempts without a start or an end"});
  CHECK(error("philly", {machines, R"([{"submitted_time":"yesterday"}])"}) ==
        "f2: job 1: submitted_time: \"yesterday\" is no time like 2017-10-07 01:12:09");
  CHECK(error("philly", {machines, "{}"}) == "f2: want a list of jobs");
}
