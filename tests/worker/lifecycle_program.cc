// A program of one worker process that writes down which of its hooks are called.
#include <stormo/stormo.h>

#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <string>

namespace {

std::string setting(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

void called(const std::string& hook) {
  std::ofstream(setting("HOOKS_FILE"), std::ios::app) << hook << '\n';
  if (setting("THROWS") == hook) throw std::runtime_error("on purpose in " + hook);
}

}  // namespace

int main(int argc, char** argv) {
  stormo::Worker worker("text://127.0.0.1:0");
  worker.onWorkerStart = [](stormo::Worker& self) {
    // A shell that ends by SIGTERM does not come to its second command.
    const std::string shell = "kill -TERM $$; echo ignored >> '" + setting("HOOKS_FILE") + "'";
    static_cast<void>(std::system(shell.c_str()));
    self.onMessage = [](stormo::Connection& connection, stormo::Message message) {
      static_cast<void>(connection.send(message));
    };
  };
  worker.onMessage = [](stormo::Connection& connection, stormo::Message) { connection.close(); };
  worker.onWorkerReload = [](stormo::Worker&) { called("reload"); };
  worker.onWorkerStop = [](stormo::Worker&) { called("stop"); };
  return stormo::Worker::runAll(argc, argv);
}
