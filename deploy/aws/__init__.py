"""Deployment to AWS through boto3. There is no local state: resources are found by name, and owned by the tag fsi-stack.

session.py      AwsSession: clients, account, region, tags
reconcile.py    the interface of resources, and the loop that creates, changes and deletes them
access.py       IAM roles and log groups
storage.py      the bucket and the uploads in it
endpoints.py    models, endpoint configurations, endpoints
scaling.py      autoscaling of endpoints
schedule.py     schedules that delete and create endpoints
search.py       the OpenSearch domain and its passwords
search_users.py the users in the domain for the page and for ingestion
assembly.py     the resources of a stack file, in stages
leftovers.py    owned resources that the stack file does not name
errors.py       errors and failure reasons of AWS, with advice
commands.py     the commands
report.py       the output of the commands
quotas.py       the account's quotas of instances
"""
