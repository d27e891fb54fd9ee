"""Requests over HTTP/1.1: many at once, each on a connection of its own or on one that it keeps."""
import http.client
import threading

from agent import Agent


class Clients:
    def __init__(self):
        self.kept = []

    def burst(self, address, port, waits_ms):
        """One request for each wait, all at once; gives their statuses when all are answered."""
        statuses = [0] * len(waits_ms)

        def ask(index):
            connection = http.client.HTTPConnection(address, port, timeout=60)
            statuses[index] = self._get(connection, waits_ms[index], {"Connection": "close"})
            connection.close()

        threads = [threading.Thread(target=ask, args=(index,)) for index in range(len(waits_ms))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return statuses

    def keep(self, address, port, count):
        """So many connections that each had one answer, and that stay here whatever the server does."""
        for _ in range(count):
            connection = http.client.HTTPConnection(address, port, timeout=60)
            self._get(connection, 0, {})
            self.kept.append(connection)

    @staticmethod
    def _get(connection, wait_ms, headers):
        connection.request("GET", "/?%d" % wait_ms, headers=headers)
        response = connection.getresponse()
        response.read()
        return response.status


CLIENTS = Clients()
Agent({"burst": CLIENTS.burst, "keep": CLIENTS.keep}).run()
