// Workers that exit on request; one of them is not reloadable. Notes each exit.
#include <stormo/stormo.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>

namespace {

void answer(stormo::Connection& connection, std::string_view line) {
  constexpr std::string_view kExit = "exit ";
  if (line.starts_with(kExit)) ::_exit(std::stoi(std::string(line.substr(kExit.size()))));
  (void)connection.send(std::to_string(::getpid()));
}

void noteExit(const stormo::Worker& worker, int slot, int status) {
  std::ofstream(std::getenv("NOTES"), std::ios::app)
      << worker.name << '/' << slot << ' ' << status << " in " << ::getpid() << '\n';
  const std::string_view fault = std::getenv("THROWS");
  if (fault == "exit") throw std::runtime_error("on purpose in exit");
  if (fault == "thread") (void)stormo::runBlocking([] {}, [] {});
}

}  // namespace

int main(int argc, char** argv) {
  stormo::Worker plain("text://127.0.0.1:0");
  plain.name = "plain";
  stormo::Worker keeper("text://127.0.0.1:0");
  keeper.name = "keeper";
  keeper.reloadable = false;
  for (stormo::Worker* worker : {&plain, &keeper}) {
    worker->onWorkerExit = noteExit;
    worker->onMessage = [](stormo::Connection& connection, stormo::Message message) {
      answer(connection, message.data);
    };
  }
  return stormo::Worker::runAll(argc, argv);
}
