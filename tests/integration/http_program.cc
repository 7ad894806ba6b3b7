// A program of HTTP, for http_worker_test.cc: on http:// or websocket://, with or without TLS.
#include <stormo/stormo.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <stdexcept>
#include <string>

using namespace stormo;

/// Answers once that file exists.
static void answerWhenThereIs(const std::string& file, const PendingResponse& pending) {
  Timer::once(std::chrono::milliseconds(10), [file, pending] {
    if (!std::filesystem::exists(file)) return answerWhenThereIs(file, pending);
    pending.answer(200, "at last");
  });
}

int main(int argc, char** argv) {
  ProgramOptions options(argc, argv, {.version = "1.0", .description = "Answers requests"});
  std::string listen = "http://127.0.0.1:0";
  std::string certificate;
  std::string key;
  options.add("--listen", listen, "URL that clients connect to");
  int workers = 2;
  options.add("--workers", workers, "number of worker processes");
  options.add("--certificate", certificate, "PEM file with a certificate");
  options.add("--key", key, "PEM file with its key");
  if (!options.parse()) return options.exitStatus();

  Worker worker(listen);
  worker.name = "http";
  worker.count = workers;
  worker.maxPackageSize = 2'000'000;
  if (!certificate.empty()) worker.tls.certificates = {{certificate, key}};

  worker.onRequest = [](const HttpRequest& request, HttpResponse& response) {
    if (request.path == "/echo") {
      response.addHeader("X-Cookie", request.cookie("sid").value_or("none"));
      response.end(request.body);
    } else if (request.path == "/hello") {
      response.end("Hello " + request.queryValue("name").value_or("world"));
    } else if (request.path == "/pid") {
      response.end(std::to_string(::getpid()));
    } else if (request.path == "/later") {
      answerWhenThereIs(request.queryValue("file").value_or("/"), response.later());
    } else if (request.path == "/stream") {
      for (const char* part : {"one ", "two ", "three"}) (void)response.write(part);
      response.end();
    } else if (request.path == "/events") {
      (void)response.events().send({.data = "a\nb", .event = "both", .id = "1"});
    } else if (request.path == "/throw") {
      throw std::runtime_error("a handler that throws");
    } else if (request.path == "/forget") {
    } else {
      response.answer(404, "no such page\n");
    }
  };
  worker.onMessage = [](Connection& connection, Message message) {
    if (connection.send(message) == SendStatus::Full) connection.close();
  };
  return Worker::runAll(options);
}
