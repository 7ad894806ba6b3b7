// One process enqueues jobs; a pool of two does them and notes each in a file.
#include <fcntl.h>
#include <stormo/stormo.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <string>
#include <thread>

using namespace stormo;

namespace {

/// In one write, because two processes append to the file.
void note(const std::string& line) {
  static const int fd = ::open(std::getenv("NOTES"), O_WRONLY | O_APPEND | O_CREAT, 0600);
  const std::string bytes = line + '\n';
  if (::write(fd, bytes.data(), bytes.size()) < 0) std::abort();
}

}  // namespace

int main(int argc, char** argv) {
  channel::Server channelServer;

  Worker intake("text://127.0.0.1:0");
  intake.name = "intake";
  intake.onWorkerStart = [&](Worker&) { channel::Client::connect(); };
  intake.onMessage = [](Connection& connection, Message message) {
    const int jobs = std::stoi(std::string(message.data));
    for (int i = 0; i < jobs; ++i) {
      if (channel::Client::enqueue("jobs", Value(i)) != PublishStatus::Accepted) return;
    }
    (void)connection.send("accepted");
  };

  Worker pool;
  pool.name = "pool";
  pool.count = 2;
  pool.onWorkerStart = [&](Worker&) {
    channel::Client::connect();
    channel::Client::watch("jobs", [](const Value& job) {
      // The work. Longer than a worker waits between two looks at whether it may end: then it would
      // end with a job that it has just asked for.
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      note(std::to_string(job.asInt()));
    });
  };
  return Worker::runAll(argc, argv);
}
