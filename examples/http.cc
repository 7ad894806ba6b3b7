// HTTP: an answer, an echo of a body, and a stream of events.
//
//     $ ./http start
//     $ curl 'http://127.0.0.1:8080/hello?name=Ada'
//     Hello Ada
//     $ curl -d 'some text' http://127.0.0.1:8080/echo
//     $ curl -N http://127.0.0.1:8080/clock      # a server-sent event each second
#include <stormo/stormo.h>

#include <chrono>
#include <ctime>
#include <string>
#include <vector>

using namespace stormo;

int main(int argc, char** argv) {
  Worker worker("http://127.0.0.1:8080");
  worker.name = "http";
  std::vector<EventStream> clocks;  // of this process

  worker.onRequest = [&](const HttpRequest& request, HttpResponse& response) {
    if (request.path == "/hello") {
      response.end("Hello " + request.queryValue("name").value_or("world") + "\n");
    } else if (request.path == "/echo" && request.method == "POST") {
      response.answer(200, request.body, "application/octet-stream");
    } else if (request.path == "/clock") {
      clocks.push_back(response.events());
    } else {
      response.answer(404, "no such page\n");
    }
  };
  worker.onWorkerStart = [&](Worker&) {
    Timer::add(std::chrono::seconds(1), [&] {
      std::erase_if(clocks, [](const EventStream& clock) {
        if (clock.send(std::to_string(std::time(nullptr))) == SendStatus::Queued) return false;
        clock.end();  // disconnected, or too slow: pages connect again
        return true;
      });
    });
  };

  return Worker::runAll(argc, argv);
}
