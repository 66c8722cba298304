"""The AWS side, through boto3 alone. AWS itself is the only state: a resource is found by its name and is ours by its tag.

aws.py        clients, account, region, tags
reconcile.py    what any resource can be asked, and the loop that brings it up or takes it down
access.py       roles and log groups; storage.py the bucket and what is sent to it
endpoints.py    models, endpoint configurations, endpoints; scaling.py and schedule.py what changes their number
search.py       the OpenSearch domain and its password
search_users.py the page's and the ingester's users in it
assembly.py     a stack file as stages of resources; leftovers.py what of ours no stack file names any more
failures.py     vendors' errors and failure reasons as one line that says what to do
commands.py     the command line; report.py what it prints; probes.py the test of what runs
"""
