// A queue of jobs: each line received becomes a job, which one of three workers does.
//
//     $ nc 127.0.0.1 1237
//     resize holiday.jpg
//     accepted: resize holiday.jpg
#include <stormo/stormo.h>

#include <cstdio>

using namespace stormo;

int main(int argc, char** argv) {
  channel::Server channelServer;

  Worker intake("text://127.0.0.1:1237");
  intake.name = "intake";
  intake.onWorkerStart = [](Worker&) { channel::Client::connect(); };
  intake.onMessage = [](Connection& connection, Message line) {
    const auto status = channel::Client::enqueue("jobs", Value::array({{"task", line.data}}));
    const bool accepted = status == PublishStatus::Accepted;
    const std::string answer =
        (accepted ? "accepted: " : "not accepted: ") + std::string(line.data);
    if (connection.send(answer) == SendStatus::Full) connection.destroy();  // it does not read
  };

  Worker workers;  // they listen on nothing: their work comes from the queue
  workers.name = "worker";
  workers.count = 3;
  workers.onWorkerStart = [](Worker& worker) {
    channel::Client::connect();
    channel::Client::watch("jobs", [&worker](const Value& job) {
      std::printf("worker %d does: %s\n", worker.id(), std::string(job["task"].asString()).c_str());
      std::fflush(stdout);
    });
  };

  return Worker::runAll(argc, argv);
}
