#include <stormo/stormo.h>

int main(int argc, char** argv) {
  stormo::Worker worker("text://127.0.0.1:1240");
  worker.onMessage = [](stormo::Connection& connection, stormo::Message line) {
    if (connection.send(line) == stormo::SendStatus::Full) connection.destroy();
  };
  return stormo::Worker::runAll(argc, argv);
}
