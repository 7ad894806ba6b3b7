// A chat with rooms and a page: ./chat start, then open http://127.0.0.1:1236/ in two windows.
#include "chat.h"

int main(int argc, char** argv) {
  Chat chat("websocket://0.0.0.0:1236");
  return stormo::Worker::runAll(argc, argv);
}
