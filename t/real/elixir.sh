# shellcheck shell=bash disable=SC2034,SC2154
needs='elixir:elixir'
limit=120

run_steps() {
    versions "Elixir $(elixir --short-version)" "$(otp_version)"
    start_by_system_cmd
    two_nodes
}

# It waits for the end of the command's output, which a daemon that keeps it open would never give.
start_by_system_cmd() {
    local time
    step 'System.cmd("epmd", ["-daemon"]) returns, and epmd serves, and where one serves already'
    for time in first second; do
        same "$time time" '{"", 0}' "$(timeout 20 elixir \
            -e 'IO.inspect System.cmd("epmd", ["-daemon"])')"
        up
    done
    same processes 1 "$(epmd_pids | wc -l)"
}

two_nodes() {
    step 'Node.connect, Node.list and a call from node to node'
    elixir --sname a --cookie "$cookie" --no-halt -e '' &
    pid_of[a]=$!
    wait_for known a
    same answers 'true
[:a@real]
:a@real' "$(timeout 20 elixir --sname b --cookie "$cookie" -e '
        IO.inspect Node.connect(:a@real)
        IO.inspect Node.list()
        IO.inspect :erpc.call(:a@real, Node, :self, [])')"
    wait_for known_are a
    epmd_killed a
    epmd_left_dead a timeout 20 elixir --sname b -e 'true = Node.alive?()'
    wait_for known_are a
    step 'a node made by Node.start and ended by Node.stop'
    same answers 'true
true' "$(timeout 20 elixir -e '
        {:ok, _} = Node.start(:late, :shortnames)
        registered = fn -> {out, 0} = System.cmd("epmd", ["-names"]); out =~ "name late at" end
        IO.inspect registered.()
        :ok = Node.stop()
        gone = fn _ -> Process.sleep(10); not registered.() end
        IO.inspect Enum.any?(1..100, gone)')"
    kill "${pid_of[a]}"
    wait "${pid_of[a]}" || true
    wait_for known_are
}
