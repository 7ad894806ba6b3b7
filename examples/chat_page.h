#pragma once

#include <string_view>

inline constexpr std::string_view kChatPage = R"html(<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Chat</title>
<link rel="icon" href="data:,">
<style>
  body { font: 16px/1.45 system-ui, sans-serif; max-width: 40rem; margin: 2rem auto; }
  body { padding: 0 1rem; }
  #log { height: 22rem; overflow: auto; padding: .6rem; }
  #log { border: 1px solid #8885; border-radius: .4rem; }
  #log b { color: #2a6fb0; }
  [hidden] { display: none !important; }
  form { display: flex; gap: .5rem; margin-top: .6rem; }
  input { font: inherit; padding: .4rem; flex: 1; min-width: 4rem; }
</style>
<h1>Chat</h1>
<div id="log" aria-live="polite"></div>
<form id="enter">
  <input id="room" value="kitchen" aria-label="Room">
  <input id="name" placeholder="your name" aria-label="Name" required>
  <button>Enter</button>
</form>
<form id="send" hidden>
  <input id="text" aria-label="Message" autocomplete="off">
  <button>Send</button>
</form>
<script>
  const $ = id => document.getElementById(id);
  let ws;
  function show(who, text) {
    const line = document.createElement('div'), name = document.createElement('b');
    name.textContent = who + ' ';
    line.append(name, text);
    $('log').append(line);
    $('log').scrollTop = $('log').scrollHeight;
  }
  $('enter').onsubmit = event => {
    event.preventDefault();
    ws = new WebSocket(`ws://${location.host}/${encodeURIComponent($('room').value)}`);
    ws.onopen = () => {
      ws.send(JSON.stringify({name: $('name').value}));
      $('enter').hidden = true;
      $('send').hidden = false;
      $('text').focus();
    };
    ws.onmessage = event => { const {who, text} = JSON.parse(event.data); show(who, text); };
    ws.onclose = event => {
      show('·', `connection closed (${event.code})`);
      $('enter').hidden = false;
      $('send').hidden = true;
    };
  };
  $('send').onsubmit = event => {
    event.preventDefault();
    ws.send(JSON.stringify({text: $('text').value}));
    $('text').value = '';
  };
</script>
</html>
)html";
