// A program of one worker process that notes which of its hooks are called.
#include <stormo/stormo.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>

namespace {

std::string setting(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

void called(const std::string& hook) {
  std::ofstream(setting("NOTES"), std::ios::app) << hook << '\n';
  if (setting("THROWS") == hook) throw std::runtime_error("on purpose in " + hook);
}

bool isNoted(const std::string& hook) {
  std::ifstream notes(setting("NOTES"));
  for (std::string line; std::getline(notes, line);) {
    if (line == hook) return true;
  }
  return false;
}

/// Blocks its thread until onWorkerStop was called.
void workUntilStop() {
  while (!isNoted("stop")) ::usleep(1000);
}

void answer(stormo::Worker& worker, stormo::Connection& connection, std::string_view line) {
  constexpr std::string_view kToAll = "to all: ";
  if (line == "how many?") {
    (void)connection.send(std::to_string(worker.connectionCount()));
  } else if (line.starts_with(kToAll)) {
    worker.forEachConnection(
        [text = line.substr(kToAll.size())](stormo::Connection& each) { (void)each.send(text); });
  } else if (line == "close me") {
    connection.close();
  } else if (line == "stop all") {
    stormo::Worker::stopAll();
  } else if (line == "much") {
    (void)connection.send(std::string(6'000'000, 'x'));
  } else if (line == "work until stop") {
    (void)stormo::runBlocking(workUntilStop, [] { called("worked"); });
    (void)connection.send("working");
  } else {
    (void)connection.send(line);
  }
}

}  // namespace

int main(int argc, char** argv) {
  stormo::Worker worker("text://127.0.0.1:0");
  worker.onWorkerStart = [](stormo::Worker& self) {
    // SIGTERM ends the shell before its second command.
    const std::string shell = "kill -TERM $$; echo ignored >> '" + setting("NOTES") + "'";
    static_cast<void>(std::system(shell.c_str()));
    self.onMessage = [&self](stormo::Connection& connection, stormo::Message message) {
      answer(self, connection, message.data);
    };
    self.onWorkerStop = [](stormo::Worker&) { called("stop"); };
  };
  worker.onMessage = [](stormo::Connection& connection, stormo::Message) { connection.close(); };
  worker.onWorkerReload = [](stormo::Worker&) { called("reload"); };
  worker.onWorkerStop = [](stormo::Worker&) { called("replaced"); };
  return stormo::Worker::runAll(argc, argv);
}
