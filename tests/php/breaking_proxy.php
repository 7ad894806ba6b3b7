<?php
// breaking_proxy.php API_PORT N: prints its port, and passes on one connection after the other to the API. When one of
// the first N answers arrives, it closes the connection instead. Prints how many, when its standard input ends.
[, $apiPort, $toDrop] = $argv;
$listener = stream_socket_server('tcp://127.0.0.1:0');
echo explode(':', stream_socket_get_name($listener, false))[1], "\n";

$client = null;
$api = null;
$dropped = 0;
while (true) {
    $ready = $client === null ? [STDIN, $listener] : [STDIN, $client, $api];
    $none = null;
    stream_select($ready, $none, $none, null);
    if (in_array(STDIN, $ready, true)) break;
    if ($client === null) {
        $client = stream_socket_accept($listener);
        $api = stream_socket_client("tcp://127.0.0.1:$apiPort");
        continue;
    }
    $from = reset($ready);
    $bytes = fread($from, 65536);
    $isDropped = $from === $api && $bytes !== '' && $dropped < $toDrop;
    if ($isDropped) ++$dropped;
    if ($isDropped || $bytes === '' || $bytes === false) {
        fclose($client);
        fclose($api);
        $client = null;
    } else {
        fwrite($from === $client ? $api : $client, $bytes);
    }
}
echo $dropped, "\n";
