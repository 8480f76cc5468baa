"""Serves the records of an SQLite file over OAI-PMH by a library that is not ours: `pyoai` or `oai_repo`.

Arguments: the library, the file, the number of records on a page. Prints the port. python-repository.ts writes the file.
"""

import json
import sqlite3
import sys
import threading
import traceback
import urllib.parse
import warnings
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

LIBRARY, FILE, SIZE = sys.argv[1], sys.argv[2], int(sys.argv[3])
SECONDS = "%Y-%m-%dT%H:%M:%SZ"
EARLIEST = "2025-01-01T00:00:00Z"
TITLE, ADMIN = "Records of a test", "admin@example.org"


def rows(where="1", *values):
    """In an order of its own, which no reader could expect."""
    connection = sqlite3.connect(FILE)
    try:
        connection.row_factory = sqlite3.Row
        asked = f"SELECT * FROM records WHERE {where} ORDER BY (rowid * 7919) % 1009, rowid"
        return connection.execute(asked, values).fetchall()
    finally:
        connection.close()


def token_life():
    """The records after which tokens expire."""
    connection = sqlite3.connect(FILE)
    try:
        return connection.execute("SELECT token_life FROM facts").fetchone()[0]
    finally:
        connection.close()


def listed(spec, since, until):
    found = rows("stamp >= ? AND stamp <= ?", since or "", until or "9")
    if spec is None:
        return found
    return [row for row in found if any(f"{one}:".startswith(f"{spec}:") for one in json.loads(row["sets"]))]


def by_pyoai(url):
    import cgi

    # Python 3.8 has removed it, and pyoai 2.5.0 still reads its tokens with it.
    cgi.parse_qs = urllib.parse.parse_qs
    from oaipmh import common, error, metadata, server

    def header(row):
        stamp = datetime.strptime(row["stamp"], SECONDS)
        return common.Header(None, row["id"], stamp, json.loads(row["sets"]), bool(row["deleted"]))

    def record(row):
        return header(row), common.Metadata(None, {"title": [row["title"]]}), None

    def page(metadataPrefix, set=None, from_=None, until=None, cursor=0, batch_size=SIZE):
        if metadataPrefix != "oai_dc":
            raise error.CannotDisseminateFormatError("oai_dc alone")
        if cursor >= token_life():
            raise error.BadResumptionTokenError("it has expired")
        stamps = [None if time is None else time.strftime(SECONDS) for time in (from_, until)]
        return listed(set, *stamps)[cursor : cursor + batch_size]

    class Repository:
        def identify(self):
            earliest = datetime.strptime(EARLIEST, SECONDS)
            return common.Identify(
                TITLE, url, "2.0", [ADMIN], earliest, "persistent", "YYYY-MM-DDThh:mm:ssZ", ["identity"]
            )

        def listRecords(self, **asked):
            return [record(row) for row in page(**asked)]

        def listIdentifiers(self, **asked):
            return [header(row) for row in page(**asked)]

        def getRecord(self, metadataPrefix, identifier):
            found = rows("id = ?", identifier)
            if not found:
                raise error.IdDoesNotExistError(identifier)
            return record(found[0])

    registry = metadata.MetadataRegistry()
    registry.registerWriter("oai_dc", server.oai_dc_writer)
    return server.BatchingServer(Repository(), registry, resumption_batch_size=SIZE).handleRequest


def by_oai_repo(url):
    import oai_repo
    from lxml import etree

    dublin_core = "http://www.openarchives.org/OAI/2.0/oai_dc/"
    element = "http://purl.org/dc/elements/1.1/"

    class Data(oai_repo.DataInterface):
        limit = SIZE

        def get_identify(self):
            return oai_repo.Identify(TITLE, url, [ADMIN], EARLIEST, "no", "YYYY-MM-DDThh:mm:ssZ")

        def is_valid_identifier(self, identifier):
            return bool(rows("id = ? AND NOT deleted", identifier))

        def get_metadata_formats(self, identifier=None):
            return [oai_repo.MetadataFormat("oai_dc", f"{dublin_core[:-1]}.xsd", dublin_core)]

        def get_record_header(self, identifier):
            row = rows("id = ?", identifier)[0]
            return oai_repo.RecordHeader(identifier, row["stamp"], json.loads(row["sets"]))

        def get_record_metadata(self, identifier, metadataprefix):
            names = {"oai_dc": dublin_core, "dc": element}
            made = etree.Element(f"{{{dublin_core}}}dc", nsmap=names)
            etree.SubElement(made, f"{{{element}}}title").text = rows("id = ?", identifier)[0]["title"]
            return made

        def get_record_abouts(self, identifier):
            return []

        def list_identifiers(self, prefix, filter_from=None, filter_until=None, filter_set=None, cursor=0):
            stamps = [None if time is None else time.strftime(SECONDS) for time in (filter_from, filter_until)]
            # oai_repo 0.5.2 writes no status into its headers, so that it cannot tell a deletion.
            ids = [row["id"] for row in listed(filter_set, *stamps) if not row["deleted"]]
            # A list that has changed makes its tokens invalid.
            state = "|".join(sorted(f"{row['id']} {row['stamp']}" for row in rows("NOT deleted")))
            return ids[cursor : cursor + SIZE], len(ids), state

    repository = oai_repo.OAIRepository(Data())
    return lambda asked: bytes(repository.process(asked))


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    answer = None

    def do_GET(self):
        asked = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(self.path).query, keep_blank_values=True))
        try:
            status, body = 200, Handler.answer(asked)
        except Exception:
            traceback.print_exc()
            status, body = 500, b""
        self.send_response(status)
        self.send_header("Content-Type", "text/xml; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


warnings.simplefilter("ignore")
http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
address = f"http://127.0.0.1:{http.server_port}/oai"
Handler.answer = {"pyoai": by_pyoai, "oai_repo": by_oai_repo}[LIBRARY](address)
print(http.server_port, flush=True)
# Ends with the program that has started it: its standard input is a pipe from there.
threading.Thread(target=lambda: (sys.stdin.read(), http.shutdown()), daemon=True).start()
http.serve_forever()
